"""Command line of the mail system."""
