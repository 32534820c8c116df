"""The address book in the browser: people, groups, files in and out. Belongs to the user."""
