"""The webmail: folders, conversations and messages in the browser."""
