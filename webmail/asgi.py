"""ASGI entry point: gunicorn's ASGI worker serves pages and server-sent events."""

import os

from django.core.asgi import get_asgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

application = get_asgi_application()

# Each request has a thread of its own here: a connection kept for the next one would never be
# used again, and stay open until it is collected.
connections.settings["default"]["CONN_MAX_AGE"] = 0

from webmail.console import welcome  # noqa: E402 - needs the applications

welcome.tell()
