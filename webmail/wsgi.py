"""WSGI entry point, for hosts that have no ASGI server; event streams need ASGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

application = get_wsgi_application()
