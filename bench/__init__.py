"""Measures receiving beside Postfix + Dovecot: `python -m bench`, docs/bench.md."""
