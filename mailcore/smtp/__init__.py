"""The vocabulary of SMTP: replies, envelopes, spooled content (RFC 5321). No sockets here."""
