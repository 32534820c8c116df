"""Who exists and who may do what: domains, mailboxes, addresses, users, sign-in."""
