"""The mail system: directory, message store, queue and protocols (RFC 5598's MTA, MSA and MDA).

One Django app with one migration history. The sub-packages are layered (pyproject.toml, import
contracts): pure packages know no Django, services touch the tables, servers are thin adapters.
"""
