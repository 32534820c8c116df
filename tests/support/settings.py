"""Settings of a test run: the real ones, with data in a directory of its own.

Two runs at a time do not meet, and nothing of var/ or of the caller's environment is touched:
SQLite in that directory, or the PostgreSQL server that TEST_DATABASE_URL names, where Django
makes and drops a database with a name of its own. Importing this changes os.environ.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.support.sources import environment_variables


def _own_directory() -> Path:
    # Workers of pytest-xdist inherit the directory; only the process that made it removes it.
    made = os.environ.get("CASILLA_TEST_DIR", "")
    if not made:
        made = os.environ["CASILLA_TEST_DIR"] = tempfile.mkdtemp(prefix="casilla-test-")
        atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made) / os.environ.get("PYTEST_XDIST_WORKER", "main")


for _name in environment_variables():
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
_directory = _own_directory()
os.environ["DATA_DIR"] = str(_directory)
os.environ["DATABASE_URL"] = os.environ.get(
    "TEST_DATABASE_URL", f"sqlite:///{_directory}/casilla.sqlite3"
)
os.environ["SECRET_KEY"] = "only-for-tests-" + "k" * 40
os.environ["SECRETS_KEY"] = "only-for-tests-" + "s" * 40
os.environ["ALLOWED_HOSTS"] = "localhost,127.0.0.1,[::1],testserver"
os.environ["LOG_LEVEL"] = "WARNING"

from webmail.settings import *  # noqa: E402, F403
from webmail.settings import DATABASES, STORAGES  # noqa: E402

if "TEST_DATABASE_URL" in os.environ:
    DATABASES["default"]["TEST"] = {"NAME": _directory.parent.name.replace("-", "_").lower()}
# The real storage wants the hashed names that collectstatic writes.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
