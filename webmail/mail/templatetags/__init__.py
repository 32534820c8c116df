"""Template tags of the mail."""
