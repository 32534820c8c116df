"""One command a module; each parses, calls a service and prints."""
