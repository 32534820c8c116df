"""ASGI entry point: gunicorn's ASGI worker serves pages and, later, server-sent events."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

application = get_asgi_application()

from webmail.console import welcome  # noqa: E402 - needs the applications

welcome.tell()
