"""How passwords are hashed: Argon2id with the smallest parameters that OWASP names (RFC 9106).

19 MiB, two passes, one lane: `credentials` bounds how many run at once.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Django's Argon2id hasher with our parameters; memory_cost is in KiB."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
