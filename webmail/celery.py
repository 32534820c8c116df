"""The Celery application: `celery -A webmail worker -Q deliver`, `-Q default`, and `beat`.

Configured by the settings module alone (CELERY_*). Tasks are in `mailcore.tasks`.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

app = Celery("casilla")
app.config_from_object("django.conf:settings", namespace="CELERY")
