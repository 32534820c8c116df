"""ASGI entry point: gunicorn's ASGI worker serves pages and server-sent events."""

import os

from django.core.asgi import get_asgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

application = get_asgi_application()

# Each request has a thread of its own here: a connection kept for the next one would never be
# used again, and stay open until it is collected. So with PostgreSQL they come from a pool, whose
# connections know their statements: a page is 5 to 7 ms quicker. One that the database closed is
# noticed when it is taken (CONN_HEALTH_CHECKS).
_database = connections.settings["default"]
_database["CONN_MAX_AGE"] = 0
if connections["default"].vendor == "postgresql":
    _database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 40, "timeout": 10}

from webmail.console import welcome  # noqa: E402 - needs the applications

welcome.tell()
