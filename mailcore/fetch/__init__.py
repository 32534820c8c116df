"""Getting one file from a web server that a stranger named (RFC 9110, 9112), and nothing else.

GET over HTTP/1.1, http and https, ports 80 and 443; each hop's address is resolved, checked and
dialled by `dial`, so a name cannot point elsewhere between check and use. No cookies, no
credentials, no cache, no other method; what the octets are is for the caller to find out.
"""
