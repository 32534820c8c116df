"""The settings of a person: pages below /settings/, one form a page."""
