"""Questions to the DNS: the resolver and the mail hosts of a domain. The only user of dnspython."""
