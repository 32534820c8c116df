"""Pages of the settings, one subject a module."""
