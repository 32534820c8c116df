"""Internet messages as octets: RFC 5322 headers, RFC 2045-2049 structure, trace fields.

Everything here is our own, linear in its input, and bounded (`limits`): received mail is hostile.
No Django, no database, and not Python's email package, whose parsers are quadratic on such input.
Import from the modules: this package file exports nothing.
"""
