"""Views of the mail: parse, authorise, call a service, render."""
