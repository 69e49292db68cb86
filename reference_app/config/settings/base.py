"""What every deployment shares.

This module and those that build on it name each variable of the environment. `environment.py` and
`addresses.py` read them.
"""

import os
import sys
from pathlib import Path
from typing import Any

from config.settings.addresses import (
    broker_found_by,
    broker_on,
    database,
    issuer,
    master_in,
    redis_hosts,
    redis_of_environment,
    sentinels,
)
from config.settings.environment import (
    above_zero,
    boolean,
    origins,
    reject,
    reject_unknown,
    secret,
    setting,
    text,
    writable_folder,
    zero_or_more,
)
from config.settings.logs import log_format, logging_as
from realtime.conf import conf

BASE_DIR = Path(__file__).resolve().parents[2]


def redis_layer(kind: str, *connections: dict, prefix: str = "asgi") -> dict:
    """Return CHANNEL_LAYERS for `pubsub` or `core` over one Redis, or over several shards.

    A connection is for redis-py.
    """
    backends = {
        "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "core": "channels_redis.core.RedisChannelLayer",
    }
    if kind not in backends:
        sys.exit(f"CHANNEL_LAYER cannot be {kind!r}: it is one of {', '.join(backends)}.")
    configuration: dict[str, Any] = {"hosts": [*connections], "prefix": prefix}
    if kind == "core":
        configuration |= {
            # Messages that wait for a process, which has one channel for all its sockets. Of the
            # usual 100 places none was free with fifty senders, and what finds none comes late.
            "capacity": 10_000,
            # Seconds that a killed process stays a member of its groups; by default a day.
            "group_expiry": 1_800,
        }
    return {"default": {"BACKEND": backends[kind], "CONFIG": configuration}}


INSTALLED_APPS = [
    "daphne",  # first: its runserver serves WebSockets
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "channels",
    "realtime",
    "api",
    "demo",
]

MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",  # first: a redirect needs its headers too
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
# Where collectstatic puts what a deployment's nginx serves.
STATIC_ROOT = BASE_DIR / "var" / "static"
USE_TZ = True
# Django's default is America/Chicago, for the logs too.
TIME_ZONE = "UTC"

# Where the embedded parts keep what they must not forget: the SQLite file, devrealm's key.
DATA_DIR = Path(setting(text, "DATA_DIR", default=str(BASE_DIR / "var")))

DATABASES = {
    "default": setting(
        database, "DATABASE_URL", default=database(f"sqlite:///{DATA_DIR}/db.sqlite3")
    )
}
# How long these may wait is explained in `realtime/deadlines.py`. manage.py sets no limit for
# statements, because those of `migrate` may take long.
STATEMENT_SECONDS = setting(zero_or_more, "DATABASE_STATEMENT_SECONDS", default=3)
POOL_SIZE = setting(above_zero, "DATABASE_POOL_SIZE", default=10)
# The query of DATABASE_URL, which has the last word.
OPTIONS = DATABASES["default"]["OPTIONS"]
if "postgresql" in DATABASES["default"]["ENGINE"]:
    # Without a pool each query connects anew: 200 clients that came back at once waited so long for
    # it that all were told 4104, and came back again. Persistent connections are no cure under
    # ASGI, where each request has a thread of its own that leaves one behind.
    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": POOL_SIZE,
            # Seconds that a query waits for a connection; by default 30.
            "timeout": 2,
            # Seconds of tries to reconnect. The pool doubles the time between two of them, so that
            # after an outage it would wait longer than needed. The next query begins anew.
            "reconnect_timeout": 1,
        },
        "connect_timeout": 2,
        # A machine that lost its power says nothing; without these it is waited for two hours.
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": 5_000,
        **OPTIONS,
        # PostgreSQL takes the last value of a name that comes twice.
        "options": " ".join(
            [f"-c statement_timeout={STATEMENT_SECONDS}s", *filter(None, [OPTIONS.get("options")])]
        ),
    }
    # A connection of before a restart is noticed before it is used.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # Writers wait for the file instead of failing at once, readers never wait for a writer.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 3,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        **OPTIONS,
    }

REDIS_URLS = redis_of_environment()
# With them, the host of REDIS_URL is the name of a master.
REDIS_SENTINELS = setting(sentinels, "REDIS_SENTINELS", default=[])
CHANNEL_LAYER = setting(text, "CHANNEL_LAYER", default="pubsub")
CHANNEL_LAYERS = redis_layer(
    CHANNEL_LAYER,
    *redis_hosts(REDIS_URLS, REDIS_SENTINELS),
    # Projects that share a Redis need one each: a database's number does not divide Pub/Sub.
    prefix=setting(text, "REDIS_PREFIX", default="asgi"),
)

# Celery cannot use shards, nor TLS to a master that Sentinels know, so there it has to be told.
if len(REDIS_URLS) > 1 or (REDIS_SENTINELS and REDIS_URLS[0].startswith("rediss:")):
    CELERY_BROKER_URL = setting(text, "CELERY_BROKER_URL")
elif REDIS_SENTINELS:
    broker = broker_found_by(REDIS_SENTINELS, REDIS_URLS[0])
    CELERY_BROKER_URL = setting(text, "CELERY_BROKER_URL", default=broker)
else:
    CELERY_BROKER_URL = setting(text, "CELERY_BROKER_URL", default=broker_on(REDIS_URLS[0]))
if CELERY_BROKER_URL.startswith("sentinel:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"master_name": master_in(REDIS_URLS[0])}
CELERY_TASK_IGNORE_RESULT = True

KEYCLOAK_AUDIENCE = setting(text, "KEYCLOAK_AUDIENCE", default="")
if "KEYCLOAK_ISSUER" not in os.environ:
    reject("KEYCLOAK_KEYS_URL", "KEYCLOAK_ISSUER is not set")
REALTIME_ISSUER = {
    # Compared with a token's `iss` character by character.
    "ISSUER": setting(issuer, "KEYCLOAK_ISSUER", default=""),
    # Has to be in a token's `aud`.
    "AUDIENCE": KEYCLOAK_AUDIENCE,
    # The client that users sign in with: a logout that Keycloak reports is meant for it.
    "CLIENT_ID": setting(text, "KEYCLOAK_CLIENT_ID", default=KEYCLOAK_AUDIENCE),
    # Where the keys are fetched, if this server knows the issuer by another name than browsers do.
    "KEYS_URL": setting(issuer, "KEYCLOAK_KEYS_URL", default=""),
}

# Browsers on other origins that may open a socket, such as https://app.example.com. Pages that this
# server delivers itself may always.
REALTIME_ALLOWED_ORIGINS = setting(origins, "REALTIME_ALLOWED_ORIGINS", default=[])
# The same pages may call the REST API. They send a token and never a cookie.
CORS_ALLOWED_ORIGINS = REALTIME_ALLOWED_ORIGINS
CORS_URLS_REGEX = "^/api/"
# Without this, a page from elsewhere cannot read how long it has to wait.
CORS_EXPOSE_HEADERS = ["Retry-After"]
# Where it is not empty, it tells other machines why they are refused.
LOCAL_ONLY = ""
# The guide's `?token=…` ends up in the logs of proxies. Switch it off where no client needs it.
REALTIME_TOKEN_IN_QUERY = setting(boolean, "REALTIME_TOKEN_IN_QUERY", default=True)

# What Prometheus sends to read /metrics. Without it there is nothing to read.
REALTIME_METRICS_TOKEN = setting(secret, "REALTIME_METRICS_TOKEN", default="")
# Read by prometheus_client itself: where processes that share an address add up what they count.
setting(writable_folder, "PROMETHEUS_MULTIPROC_DIR", default=None)

# Without it, the server decides.
if "LOG_FORMAT" in os.environ:
    LOGGING = logging_as(setting(log_format, "LOG_FORMAT"))

# The numbers among the settings of `realtime`, each of which is explained there.
NUMBERS = {each.name: each.default for each in conf if type(each.default) is int}
reject_unknown(
    [*NUMBERS, "REALTIME_ALLOWED_ORIGINS", "REALTIME_METRICS_TOKEN", "REALTIME_TOKEN_IN_QUERY"]
)
locals().update(
    {name: setting(above_zero, name, default=default) for name, default in NUMBERS.items()}
)
