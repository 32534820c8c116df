"""Port 25: the SMTP server (RFC 5321). Talks, counts and hands over; decides nothing about mail."""
