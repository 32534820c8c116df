"""Settings: the only place that reads the environment (docs/env.md lists every variable).

Unset means the embedded system: SQLite and blobs under DATA_DIR, cache in the process, loopback.
Secrets may come as NAME_FILE. Code in `mailcore` reads these through `mailcore.conf`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from webmail import env as values

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

# --- The place and the project ---
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
DEBUG = env.bool("DEBUG", default=False)
DATABASE_URL = values.with_password(
    env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'casilla.sqlite3'}"),
    env.str("DATABASE_PASSWORD", default=""),
)
EMBEDDED = DATABASE_URL.startswith("sqlite")


def _secret(name: str) -> str:
    value: str = env.str(name, default="").strip()
    if value:
        return value
    if not EMBEDDED:
        raise ImproperlyConfigured(f"set {name} or {name}_FILE to a long random value")
    return values.secret_file(DATA_DIR / name.lower())


SECRET_KEY = _secret("SECRET_KEY")
SECRETS_KEY = _secret("SECRETS_KEY")

WEB_LISTEN = values.listeners(env.str("WEB_LISTEN", default="127.0.0.1:8000"))
PUBLIC_URL: str = env.str("PUBLIC_URL", default=values.web_address(WEB_LISTEN)).rstrip("/")
CASILLA_HOSTNAME: str = env.str("CASILLA_HOSTNAME", default="localhost")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if EMBEDDED else []
)
TRUSTED_PROXIES = values.networks(env.str("TRUSTED_PROXIES", default=""))
REDIS_URL: str = values.with_password(
    env.str("REDIS_URL", default=""), env.str("REDIS_PASSWORD", default="")
)

ROOT_URLCONF = "webmail.urls"
ASGI_APPLICATION = "webmail.asgi.application"
WSGI_APPLICATION = "webmail.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "mailcore.User"
# The login is unique by a constraint on its lower case, which this check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_prose_editor",
    "js_asset",
    "lucide",
    "mailcore",
    "webmail.accounts",
    "webmail.mail",
    "webmail.preferences",
    "webmail.console",
]

MIDDLEWARE = [
    "webmail.middleware.Client",
    "django.middleware.security.SecurityMiddleware",
    "webmail.statics.StaticFiles",
    "webmail.middleware.CompressPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "webmail.middleware.PagePolicy",
    "webmail.middleware.Person",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "webmail.middleware.page_context",
            ],
        },
    },
]

# --- Database ---
_database: dict[str, Any] = environ.Env.db_url_config(DATABASE_URL)
if EMBEDDED:
    # WAL lets readers go on beside the one writer; FULL makes COMMIT mean "on disk" (G1).
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; "
            # A checkpoint holds up the mail whose COMMIT makes it: rarer, with a log of 40 MB,
            # halved the 95th percentile of one session's waits (4.8 to 2.3 ms).
            "PRAGMA wal_autocheckpoint=10000"
        ),
    }
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # Both options halve the time of a delivery batch (measured in the data model's prototype).
    _database.setdefault("OPTIONS", {}).update(prepare_threshold=2, server_side_binding=True)
    _database["CONN_HEALTH_CHECKS"] = True
_database["CONN_MAX_AGE"] = None
DATABASES = {"default": _database}

# --- Web ---
_https = urlsplit(PUBLIC_URL).scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_NAME = "__Host-session" if _https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_AGE = 14 * 86_400
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
CSRF_FAILURE_VIEW = "webmail.pages.csrf_failure"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "mail:home"
AUTHENTICATION_BACKENDS = ["webmail.accounts.backends.MailboxBackend"]
PASSWORD_HASHERS = ["mailcore.directory.hashers.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
# What build_assets makes; a container image brings it along, beside a data volume that is older.
BUILT_DIR = Path(env.str("BUILT_DIR", default=str(DATA_DIR))).resolve()
LOCALE_DIR = BUILT_DIR / "locale"  # compiled from locale/
LOCALE_PATHS = [LOCALE_DIR]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _https
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BUILT_DIR / "static"))
ASSETS_DIR = BUILT_DIR / "assets"  # font and icons
ASSETS_DIR.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static", ASSETS_DIR]
STYLEGUIDE = env.bool("STYLEGUIDE", default=DEBUG)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600

# --- Mail: limits of RFC 5321, 4.5.3 and our own (docs/env.md) ---
SMTP_LISTEN = values.listeners(env.str("SMTP_LISTEN", default="127.0.0.1:2525"))
TLS_CERT: str = env.str("TLS_CERT", default="")
TLS_KEY: str = env.str("TLS_KEY", default="")
MESSAGE_SIZE_LIMIT = values.size(env.str("MESSAGE_SIZE_LIMIT", default="50M"))
BLOB_INLINE_MAX = values.size(env.str("BLOB_INLINE_MAX", default="64K"))
DETAIL_SEPARATOR: str = env.str("DETAIL_SEPARATOR", default="+")
LIMITS_EXEMPT_NETWORKS = values.networks(env.str("LIMITS_EXEMPT_NETWORKS", default=""))
RECEIVED_LIMIT: int = env.int("RECEIVED_LIMIT", default=50)
DISK_FREE_MIN = values.size(env.str("DISK_FREE_MIN", default="1G"))
SENDER_DOMAIN_CHECK: bool = env.bool("SENDER_DOMAIN_CHECK", default=False)

# --- Writing in the browser ---
SEND_UNDO = values.duration(env.str("SEND_UNDO", default="10s"))
FILE_UPLOAD_HANDLERS = [
    "webmail.mail.copying.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

SMTP_PROCESSES: int = env.int("SMTP_PROCESSES", default=1)
if not 1 <= SMTP_PROCESSES <= 64:
    raise ImproperlyConfigured("SMTP_PROCESSES is a number from 1 to 64")

# --- Submission (RFC 6409) ---
SUBMISSION_LISTEN = values.listeners(env.str("SUBMISSION_LISTEN", default="127.0.0.1:2587"))
SUBMISSIONS_LISTEN = values.listeners(env.str("SUBMISSIONS_LISTEN", default="127.0.0.1:2465"))
AUTH_PLAINTEXT_NETWORKS = values.networks(env.str("AUTH_PLAINTEXT_NETWORKS", default=""))

# --- Sending: the queue and where it goes (RFC 5321, 4.5.4 and 5) ---
OUTBOUND_MODE: str = env.str("OUTBOUND_MODE", default="capture" if EMBEDDED else "direct")
if OUTBOUND_MODE not in {"direct", "smarthost", "capture"}:
    raise ImproperlyConfigured("OUTBOUND_MODE is direct, smarthost or capture")
OUTBOUND_PORT: int = env.int("OUTBOUND_PORT", default=25)
OUTBOUND_ALLOW_NETWORKS = values.networks(env.str("OUTBOUND_ALLOW_NETWORKS", default=""))
DNS_SERVERS = values.listeners(env.str("DNS_SERVERS", default=""))
SMTP_ROUTES = values.routes(env.str("SMTP_ROUTES", default=""))
SMARTHOST = values.hosts(env.str("SMARTHOST", default=""))
SMARTHOST_USER: str = env.str("SMARTHOST_USER", default="")
SMARTHOST_PASSWORD: str = env.str("SMARTHOST_PASSWORD", default="").strip("\r\n")
SMARTHOST_TLS: str = env.str("SMARTHOST_TLS", default="starttls")
if SMARTHOST_TLS not in {"none", "starttls", "implicit"}:
    raise ImproperlyConfigured("SMARTHOST_TLS is none, starttls or implicit")
if OUTBOUND_MODE == "smarthost" and not SMARTHOST:
    raise ImproperlyConfigured("OUTBOUND_MODE=smarthost needs SMARTHOST=host:port")
RETRY_SCHEDULE = values.durations(env.str("RETRY_SCHEDULE", default="5m,15m,30m,1h,2h,3h"))
QUEUE_LIFETIME = values.duration(env.str("QUEUE_LIFETIME", default="5d"))
DELAY_DSN_AFTER = values.duration(env.str("DELAY_DSN_AFTER", default="4h"))
# What is told after a COMMIT that enqueued: the runner beside us, or a Celery task.
QUEUE_DISPATCHER = "mailcore.tasks.wake" if REDIS_URL else "mailcore.queue.wake.local"

# --- Celery, only with REDIS_URL: it wakes workers and holds no state (architecture, section 5) ---
CELERY_APP = "webmail.celery.app"
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # What a killed worker had in hand comes back, is older than it may be, and is dropped: every
    # task expires. So this only has to be longer than a task may run.
    "visibility_timeout": 1800,
    "unacked_restore_limit": 100,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2.0,
    "socket_timeout": 10.0,
    "socket_keepalive": True,
}
CELERY_IMPORTS = ("mailcore.tasks",)
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"mailcore.tasks.drain": {"queue": "deliver"}}
CELERY_TASK_SOFT_TIME_LIMIT = 25 * 60
CELERY_TASK_TIME_LIMIT = 26 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300 * 2**10  # KiB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    name: {
        "task": f"mailcore.tasks.{name}",
        "schedule": every_s,
        "options": {"queue": queue, "expires": every_s},
    }
    for name, queue, every_s in (
        ("drain", "deliver", 10.0),
        ("derive", "default", 5.0),
        ("jobs", "default", 1.0),
        ("sweep", "default", 3600.0),
    )
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat")
ALIVE_FILE: str = env.str("ALIVE_FILE", default="")

# --- Sign-in ---
AUTH_FAILURES_PER_MINUTE: int = env.int("AUTH_FAILURES_PER_MINUTE", default=10)
AUTH_FAILURES_PER_DAY: int = env.int("AUTH_FAILURES_PER_DAY", default=50)
AUTH_DELAY = values.duration(env.str("AUTH_DELAY", default="2s"))

# --- SMTP server ---
# Counts, octets and durations of one session, one client network and the whole server.
SMTP_LIMITS: dict[str, Any] = {
    "command_octets": env.int("SMTP_COMMAND_OCTETS", default=2048),
    "recipients": env.int("SMTP_RECIPIENTS", default=100),
    "errors": env.int("SMTP_ERRORS", default=10),
    "error_delay_from": env.int("SMTP_ERROR_DELAY_FROM", default=3),
    "error_delay": values.duration(env.str("SMTP_ERROR_DELAY", default="1s")),
    "junk_commands": env.int("SMTP_JUNK_COMMANDS", default=20),
    "long_lines": env.int("SMTP_LONG_LINES", default=3),
    "unknown_recipients": env.int("SMTP_UNKNOWN_RECIPIENTS", default=10),
    "connections": env.int("SMTP_CONNECTIONS", default=1000),
    "connections_per_client": env.int("SMTP_CONNECTIONS_PER_CLIENT", default=20),
    "new_per_minute": env.int("SMTP_NEW_PER_MINUTE", default=60),
    "messages_per_minute": env.int("SMTP_MESSAGES_PER_MINUTE", default=100),
    "recipients_per_minute": env.int("SMTP_RECIPIENTS_PER_MINUTE", default=300),
    "banner_delay": values.duration(env.str("SMTP_BANNER_DELAY", default="0s")),
    "command_timeout": values.duration(env.str("SMTP_COMMAND_TIMEOUT", default="300s")),
    "loaded_timeout": values.duration(env.str("SMTP_LOADED_TIMEOUT", default="60s")),
    "crowded_timeout": values.duration(env.str("SMTP_CROWDED_TIMEOUT", default="10s")),
    "data_timeout": values.duration(env.str("SMTP_DATA_TIMEOUT", default="180s")),
    "data_rate": env.int("SMTP_DATA_RATE", default=500),
    "data_rate_window": values.duration(env.str("SMTP_DATA_RATE_WINDOW", default="60s")),
    "session_timeout": values.duration(env.str("SMTP_SESSION_TIMEOUT", default="30m")),
    "answer_timeout": values.duration(env.str("SMTP_ANSWER_TIMEOUT", default="30s")),
    "stop_timeout": values.duration(env.str("SMTP_STOP_TIMEOUT", default="30s")),
}

# --- Logging ---
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT: str = env.str("LOG_FORMAT", default="text")
if LOG_FORMAT not in {"text", "json"}:
    raise ImproperlyConfigured("LOG_FORMAT is text or json")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "webmail.logs.TextFormatter"},
        "json": {"()": "webmail.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        name: {"level": "WARNING"}
        # Celery tells of every task twice, and there is one every five seconds.
        for name in ("mail.log", "fontTools", "celery.app.trace", "celery.worker", "celery.beat")
    },
}
