"""Each variable of the environment with its usual spellings, and with its usual mistakes."""

import logging
import runpy
from ssl import CERT_REQUIRED

import pytest
from kombu import Connection

from config.settings import base

ISSUER = "https://id.example.com/realms/main"


@pytest.fixture
def read(monkeypatch):
    """Return a function that returns the settings of a deployment with these variables."""

    def run(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(base.__file__)

    return run


@pytest.fixture
def refusal(read):
    """Return a function that returns the line with which a start stops."""

    def run(**variables) -> str:
        with pytest.raises(SystemExit) as stop:
            read(**variables)
        (line,) = stop.value.code.splitlines()
        return line

    return run


SPELLINGS = [
    ("DATABASE_STATEMENT_SECONDS", "0", "STATEMENT_SECONDS", 0),
    ("REALTIME_MAX_ERRORS", " 7 ", "REALTIME_MAX_ERRORS", 7),
    ("REALTIME_TOKEN_IN_QUERY", "0", "REALTIME_TOKEN_IN_QUERY", False),
    ("REALTIME_TOKEN_IN_QUERY", "False", "REALTIME_TOKEN_IN_QUERY", False),
    ("REALTIME_TOKEN_IN_QUERY", "yes", "REALTIME_TOKEN_IN_QUERY", True),
    ("REALTIME_ALLOWED_ORIGINS", "", "REALTIME_ALLOWED_ORIGINS", []),
    ("REALTIME_METRICS_TOKEN", "x" * 16, "REALTIME_METRICS_TOKEN", "x" * 16),
    ("CHANNEL_LAYER", "core", "CHANNEL_LAYER", "core"),
    ("CELERY_BROKER_URL", "amqp://rabbit", "CELERY_BROKER_URL", "amqp://rabbit"),
    ("REDIS_HOST", "::1", "CELERY_BROKER_URL", "redis://[::1]:6379/0"),
    ("REDIS_HOST", "[::1]", "CELERY_BROKER_URL", "redis://[::1]:6379/0"),
    ("REDIS_HOST", "redis_1", "CELERY_BROKER_URL", "redis://redis_1:6379/0"),
    ("REDIS_URL", "redis://:pw@[::1]/2", "CELERY_BROKER_URL", "redis://:pw@[::1]/2"),
    (
        "REDIS_URL",
        "unix:///r.sock?db=1",
        "CELERY_BROKER_URL",
        "redis+socket:///r.sock?virtual_host=1",
    ),
]


@pytest.mark.parametrize(("variable", "value", "setting", "expected"), SPELLINGS)
def test_usual_spelling_is_read(read, variable, value, setting, expected):
    assert read(**{variable: value})[setting] == expected


MISTAKES = [
    ("DATA_DIR", ""),
    ("DATABASE_POOL_SIZE", "0"),
    ("DATABASE_STATEMENT_SECONDS", "-1"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "mysql://u:s3cret@db/x"),
    ("DATABASE_URL", "sqlite://db.sqlite3"),
    ("DATABASE_URL", "postgres://u:s3/cret@db/x"),
    ("DATABASE_URL", "postgres://u:s3cret@db:70000/x"),
    ("DATABASE_URL", "postgres://u:s3cret@db"),
    ("DATABASE_URL", "postgres://u:s3cret@db/x?sslmod=require"),
    ("DATABASE_URL", "postgres://u:s3cret@db/x?conn_max_age=60"),
    ("REDIS_URL", ""),
    ("REDIS_URL", "s3cret@redis:6379"),
    ("REDIS_URL", "http://:s3cret@redis"),
    ("REDIS_URL", "redis://:s3/cret@redis"),
    ("REDIS_URL", "redis://:s3cret#@redis"),
    ("REDIS_URL", "redis://:s3,cret@redis"),
    ("REDIS_URL", "redis://:s3cret@"),
    ("REDIS_URL", "redis://:s3cret@redis:0"),
    ("REDIS_URL", "redis://:s3cret@redis:70000"),
    ("REDIS_URL", "redis://:s3cret@redis/zero"),
    ("REDIS_URL", "redis://:s3cret@redis?unknown=1"),
    ("REDIS_URL", "unix://var/run/redis.sock"),
    ("REDIS_URL", "redis://:s3cret@redis,"),
    ("REDIS_SENTINELS", ""),
    ("REDIS_SENTINELS", "redis://:s3cret@sentinel"),
    ("REDIS_SENTINELS", "sentinel:0"),
    ("REDIS_HOST", ""),
    ("REDIS_HOST", "redis:6379"),
    ("REDIS_HOST", "redis://:s3cret@redis"),
    ("REDIS_PASSWORD", "s3cret"),
    ("REDIS_PORT", "6379"),
    ("REDIS_PREFIX", ""),
    ("CHANNEL_LAYER", "rabbit"),
    ("CELERY_BROKER_URL", ""),
    ("KEYCLOAK_ISSUER", "nonsense"),
    ("KEYCLOAK_ISSUER", "https://"),
    ("KEYCLOAK_ISSUER", f"'{ISSUER}'"),
    ("KEYCLOAK_AUDIENCE", ""),
    ("KEYCLOAK_CLIENT_ID", ""),
    ("KEYCLOAK_KEYS_URL", f"{ISSUER}/protocol/openid-connect/certs"),
    ("REALTIME_METRICS_TOKEN", "s3cret"),
    ("REALTIME_METRICS_TOKEN", ""),
    ("PROMETHEUS_MULTIPROC_DIR", "/nowhere"),
    ("PROMETHEUS_MULTIPROC_DIR", ""),
    ("LOG_FORMAT", "xml"),
    ("REALTIME_TOKEN_IN_QUERY", "maybe"),
    ("REALTIME_MAX_ERRORS", "many"),
    ("REALTIME_ISSUER", ISSUER),
]


@pytest.mark.parametrize(("variable", "value"), MISTAKES)
def test_usual_mistake_is_named_without_a_secret(refusal, variable, value):
    line = refusal(**{variable: value})
    assert line.startswith(f"The environment variable {variable} ") or variable == "CHANNEL_LAYER"
    assert line.endswith("and start again.") or variable == "CHANNEL_LAYER"
    assert "s3" not in line
    assert "cret" not in line.replace("secret", "")


@pytest.mark.parametrize("value", ["0", "70000", "abc", ""])
def test_port_of_redis_is_a_port(refusal, value):
    assert "REDIS_PORT cannot be used" in refusal(REDIS_HOST="redis", REDIS_PORT=value)


def test_several_redis_are_shards_of_the_layer_and_celery_needs_one_of_its_own(read, refusal):
    shards = "redis://a, redis://:pw@b:6380/1"
    assert "CELERY_BROKER_URL is missing" in refusal(REDIS_URL=shards)
    settings = read(REDIS_URL=shards, CELERY_BROKER_URL="redis://c", REDIS_PREFIX="shop")
    configuration = settings["CHANNEL_LAYERS"]["default"]["CONFIG"]
    assert [each["address"] for each in configuration["hosts"]] == shards.split(", ")
    assert configuration["prefix"] == "shop"


WATCHERS = "a, b:5000, [::1]:5001, [::1]"


def test_sentinels_find_a_master_by_the_host_of_the_url(read, refusal):
    settings = read(REDIS_URL="redis://u:p%40@myMain/1", REDIS_SENTINELS=WATCHERS)
    (found,) = settings["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"]
    assert found["sentinels"] == [("a", 26379), ("b", 5000), ("::1", 5001), ("::1", 26379)]
    assert found["master_name"] == "myMain" and "host" not in found and "ssl" not in found
    assert (found["username"], found["password"], found["db"]) == ("u", "p@", 1)
    with Connection(settings["CELERY_BROKER_URL"]) as broker:
        assert broker.alt == [f"sentinel://u:p%40@{each}/1" for each in ADDRESSES]
    assert settings["CELERY_BROKER_TRANSPORT_OPTIONS"] == {"master_name": "myMain"}

    shards = {"REDIS_URL": "redis://main,redis://other", "REDIS_SENTINELS": "a"}
    assert "CELERY_BROKER_URL is missing" in refusal(**shards)
    hosts = read(**shards, CELERY_BROKER_URL="sentinel://a")["CHANNEL_LAYERS"]["default"]["CONFIG"]
    assert [each["master_name"] for each in hosts["hosts"]] == ["main", "other"]


ADDRESSES = ["a:26379", "b:5000", "[::1]:5001", "[::1]:26379"]


def test_master_is_reached_by_tls_and_celery_is_told_where(read, refusal):
    secure = {"REDIS_URL": "rediss://main?ssl_ca_certs=/ca", "REDIS_SENTINELS": "a"}
    assert "CELERY_BROKER_URL is missing" in refusal(**secure)
    settings = read(**secure, CELERY_BROKER_URL="redis://b")
    (found,) = settings["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"]
    assert (found["ssl"], found["ssl_ca_certs"]) == (True, "/ca")
    assert "CELERY_BROKER_TRANSPORT_OPTIONS" not in settings


def test_redis_is_named_once(refusal):
    assert "REDIS_HOST cannot be used" in refusal(REDIS_URL="redis://a", REDIS_HOST="a")


def test_port_that_kubernetes_sets_is_ignored_with_one_line_in_the_log(read, caplog):
    with caplog.at_level(logging.WARNING):
        settings = read(REDIS_HOST="redis", REDIS_PORT="tcp://10.0.0.7:6379")
    assert settings["CELERY_BROKER_URL"] == "redis://redis:6379/0"
    (line,) = caplog.messages
    assert "REDIS_PORT is ignored" in line


@pytest.mark.parametrize("url", ["redis://u:p%2F@h:1/2", "unix://:p%2F@/r.sock?db=2"])
def test_celery_reads_the_same_from_the_url_as_the_layer(read, url):
    """kombu is asked for the parameters of its connection; nothing is connected."""
    broker = Connection(read(REDIS_URL=url)["CELERY_BROKER_URL"])
    channel = broker.transport.Channel.__new__(broker.transport.Channel)
    channel.connection = type("Connected", (), {"client": broker, "default_port": 6379})
    channel.max_connections = 1
    named = channel._connparams()
    assert (named["password"], named["db"]) == ("p/", 2)
    assert named.get("path", "/r.sock") == "/r.sock"


@pytest.mark.parametrize("query", ["", "?ssl_ca_certs=/ca.pem", "?ssl_cert_reqs=required"])
def test_celery_believes_no_certificate_that_the_layer_does_not(read, query):
    """kombu's default is to believe any."""
    broker = Connection(read(REDIS_URL=f"rediss://:p@redis:6380/0{query}")["CELERY_BROKER_URL"])
    assert broker.ssl["ssl_cert_reqs"] == CERT_REQUIRED


POSTGRESQL = "postgres://u:p@db:5433/x?sslmode=verify-full&connect_timeout=3&options=-c%20a.b%3D1"


def test_options_of_the_database_are_kept_beside_those_of_the_app(read):
    options = read(DATABASE_URL=POSTGRESQL)["DATABASES"]["default"]["OPTIONS"]
    assert (options["sslmode"], options["connect_timeout"]) == ("verify-full", 3)
    assert options["options"] == "-c statement_timeout=3s -c a.b=1"
    assert options["pool"]["max_size"] == 10
    assert options["tcp_user_timeout"] == 5_000


@pytest.mark.parametrize(
    ("url", "host", "name"),
    [
        ("postgres:///reference-app", "", "reference-app"),
        ("postgresql://%2Fvar%2Frun%2FPG/x", "/var/run/PG", "x"),
        ("postgres://u@[::1]:5433/x", "::1", "x"),
        ("postgres://a:1,b:2/x?target_session_attrs=read-write", "a,b", "x"),
    ],
)
def test_host_of_the_database_may_be_a_socket_an_address_or_several(read, url, host, name):
    database = read(DATABASE_URL=url)["DATABASES"]["default"]
    assert (database["HOST"], database["NAME"]) == (host, name)


def test_options_of_sqlite_are_kept(read):
    options = read(DATABASE_URL="sqlite:////x.sqlite3?timeout=9")["DATABASES"]["default"]["OPTIONS"]
    assert (options["timeout"], options["transaction_mode"]) == (9, "IMMEDIATE")


def test_secret_may_begin_with_a_dollar(monkeypatch):
    """django-environ takes such a value for the name of another variable."""
    production = {
        "DJANGO_SECRET_KEY": "$s3cret",
        "DJANGO_ALLOWED_HOSTS": "a.example, b.example",
        "DATABASE_URL": "sqlite:////x.sqlite3",
        "REDIS_URL": "redis://redis",
        "KEYCLOAK_ISSUER": ISSUER,
        "KEYCLOAK_AUDIENCE": "my-app",
    }
    for name, value in production.items():
        monkeypatch.setenv(name, value)
    settings = runpy.run_module("config.settings.production")
    assert settings["SECRET_KEY"] == "$s3cret"
    assert settings["ALLOWED_HOSTS"] == ["a.example", "b.example"]


def test_keys_are_fetched_by_another_name_than_the_issuers(read):
    keys = "http://keycloak:8080/realms/main/protocol/openid-connect/certs"
    issuer = read(KEYCLOAK_ISSUER=ISSUER, KEYCLOAK_KEYS_URL=keys)["REALTIME_ISSUER"]
    assert (issuer["ISSUER"], issuer["KEYS_URL"]) == (ISSUER, keys)


def test_time_zone_is_utc(read):
    assert read()["TIME_ZONE"] == "UTC"


def test_unknown_name_is_rejected_with_the_nearest_known_one(refusal):
    assert refusal(REALTIME_MAX_ERROR="7") == (
        "The environment variable REALTIME_MAX_ERROR cannot be used: there is no such setting, and "
        "REALTIME_MAX_ERRORS is the nearest. Correct it and start again."
    )


@pytest.mark.parametrize(
    "name", ["PORT", "SERVICE_HOST", "SERVER_PORT_8000_TCP_ADDR", "SERVICE_PORT_HTTP"]
)
def test_names_that_kubernetes_sets_for_a_service_named_realtime_are_ignored(read, name):
    read(**{f"REALTIME_{name}": "tcp://10.0.0.7:8000"})
