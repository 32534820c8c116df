"""A copy of the whole system and its way back: database, blobs and, if wanted, keys (G14).

`save` writes a directory while the system runs, `restore` fills an empty system from it. Knows
tables and files, nothing of mail. What it finds is damage, not forgery: nothing is signed.
"""
