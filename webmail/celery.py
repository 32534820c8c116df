"""The Celery application: `celery -A webmail worker -Q deliver`, `-Q default`, and `beat`.

Configured by the settings module alone (CELERY_*). Tasks are in `mailcore.tasks`. Worker and beat
touch ALIVE_FILE while they reach the broker, so that a health check costs no process of Python.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, beat_init, heartbeat_sent
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

app = Celery("casilla")
app.config_from_object("django.conf:settings", namespace="CELERY")


@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def _worker_lives(**_: Any) -> None:
    _touch()


@beat_init.connect  # type: ignore[untyped-decorator]
def _watch_beat(**_: Any) -> None:
    after_task_publish.connect(_touch, weak=False)


def _touch(**_: Any) -> None:
    if settings.ALIVE_FILE:
        Path(settings.ALIVE_FILE).touch()
