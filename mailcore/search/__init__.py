"""The language of the search box: pure, no database (webmail.md, b, "Search grammar")."""
