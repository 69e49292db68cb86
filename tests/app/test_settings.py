"""What a start says of a missing or malformed value: one line that names it."""

import os
import runpy
import subprocess
import sys

import pytest
from channels_redis.core import RedisChannelLayer
from django.db import connections
from fakeredis import FakeServer

from config.settings import base
from realtime.checks import check_deployment, check_issuer
from tests.project.readme import ROOT

MANAGE = str(ROOT / "reference_app" / "manage.py")
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DJANGO_SECRET_KEY": "k" * 30 + "0123456789" * 3,
    "DJANGO_ALLOWED_HOSTS": "app.example.com",
    "DATABASE_URL": "postgres://app@db.example.com/app",
    "REDIS_HOST": "redis.example.com",
    "KEYCLOAK_ISSUER": "https://id.example.com/realms/main",
    "KEYCLOAK_AUDIENCE": "my-app",
}
IN_MEMORY = "channels.layers.InMemoryChannelLayer"


def check(*arguments, **environment):
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": os.environ["DATA_DIR"], **environment}
    return subprocess.run(
        [sys.executable, MANAGE, "check", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_PORT", "abc"),
        ("CHANNEL_LAYER", "rabbit"),
        ("DATA_DIR", "/dev/null/x"),
        ("REALTIME_ALLOWED_ORIGINS", "'https://app.example.com'"),
    ],
)
def test_malformed_value_stops_the_start_with_one_line_that_names_it(name, value):
    done = check(**{name: value})
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert name in line


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "DJANGO_SETTINGS_MODULE"])
def test_value_that_production_lacks_is_named_in_one_line(monkeypatch, name):
    for variable, value in PRODUCTION.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv(name)
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("config.settings.production")
    # What Python writes to stderr, before it exits with 1.
    assert stop.value.code == (
        f"The environment variable {name} is missing. Set it and start again."
    )


@pytest.mark.full
def test_production_passes_the_deployment_check():
    done = check("--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")


def test_base_does_not_contain_the_stand_in():
    assert "devrealm" not in base.INSTALLED_APPS
    assert "KEY_CLIENT" not in base.REALTIME_ISSUER


def test_idle_sockets_outlive_the_core_layers_wait():
    """The core layer blocks for 5 s; redis-py 8 gives up after 5 s by default."""
    (host,) = base.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    assert host["socket_timeout"] > 5


def test_redis_that_does_not_answer_is_given_up_before_daphne_drops_the_handshake():
    (host,) = base.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    assert host["socket_connect_timeout"] < 5


@pytest.mark.parametrize("name", ["ISSUER", "AUDIENCE"])
def test_missing_identity_provider_is_an_error_of_the_check(settings, name):
    settings.REALTIME_ISSUER = settings.REALTIME_ISSUER | {name: ""}
    (error,) = check_issuer(None)
    assert error.msg == f"REALTIME_ISSUER has no {name}."


def test_project_without_tokens_says_so_and_is_asked_for_no_issuer(settings):
    settings.REALTIME_ISSUER = {}
    assert check_issuer(None) == []
    assert "realtime.W001" not in {warning.id for warning in check_deployment(None)}
    del settings.REALTIME_ISSUER
    assert len(check_issuer(None)) == 2


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("REALTIME_ISSUER", {"ISSUER": "http://id.example.com", "AUDIENCE": "my-app"}, "W001"),
        ("ALLOWED_HOSTS", ["*"], "W002"),
        (
            "CHANNEL_LAYERS",
            {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
            "W003",
        ),
        ("CHANNEL_LAYERS", base.redis_layer("pubsub", {"server": FakeServer()}), "W003"),
        ("STATIC_ROOT", None, "W005"),
    ],
)
def test_value_for_a_laptop_is_a_warning_of_the_deployment_check(
    settings, monkeypatch, name, value, number
):
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    settings.REALTIME_ISSUER = {"ISSUER": "https://id.example.com", "AUDIENCE": "my-app"}
    settings.CHANNEL_LAYERS, settings.ALLOWED_HOSTS = base.CHANNEL_LAYERS, ["app.example.com"]
    assert check_deployment(None) == []
    setattr(settings, name, value)
    (warning,) = check_deployment(None)
    assert warning.id == f"realtime.{number}"


def test_sqlite_is_a_warning_of_the_deployment_check(monkeypatch):
    for vendor, found in (("sqlite", True), ("postgresql", False)):
        monkeypatch.setattr(connections["default"], "vendor", vendor)
        assert ("realtime.W004" in [each.id for each in check_deployment(None)]) == found


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_limit_that_is_no_number_above_zero_is_named_in_one_line(monkeypatch, value):
    monkeypatch.setenv("REALTIME_MAX_ERRORS", value)
    with pytest.raises(SystemExit) as stop:
        base.setting(base.above_zero, "REALTIME_MAX_ERRORS", default=1)
    assert "REALTIME_MAX_ERRORS cannot be used" in stop.value.code


def test_origins_are_listed_with_commas_and_perhaps_spaces(monkeypatch):
    monkeypatch.setenv("REALTIME_ALLOWED_ORIGINS", "https://a.example.com, https://b.example.com,")
    listed = base.setting(base.origins, "REALTIME_ALLOWED_ORIGINS", default=[])
    assert listed == ["https://a.example.com", "https://b.example.com"]


def test_origins_of_the_environment_are_written_as_browsers_send_them(monkeypatch):
    monkeypatch.setenv("REALTIME_ALLOWED_ORIGINS", "HTTPS://App.example.com:443,http://[::1]:8000")
    listed = base.setting(base.origins, "REALTIME_ALLOWED_ORIGINS", default=[])
    assert listed == ["https://app.example.com", "http://[::1]:8000"]


# Usual mistakes; `is_possible_origin` is tested with the settings of `realtime`.
@pytest.mark.parametrize("value", ["app.example.com", "*", "https://a.example;https://b.example"])
def test_origin_that_no_browser_sends_is_named_in_one_line(monkeypatch, value):
    monkeypatch.setenv("REALTIME_ALLOWED_ORIGINS", value)
    with pytest.raises(SystemExit) as stop:
        base.setting(base.origins, "REALTIME_ALLOWED_ORIGINS", default=[])
    assert stop.value.code == (
        "The environment variable REALTIME_ALLOWED_ORIGINS cannot be used: it has "
        f"{value!r}, which no browser sends. Write scheme, host, and the port if it is not the "
        "default, as in https://app.example.com. Set it and start again."
    )


def test_core_layer_has_room_for_a_burst_and_forgets_a_killed_process_within_the_hour():
    configuration = base.redis_layer("core", {"host": "127.0.0.1"})["default"]["CONFIG"]
    layer = RedisChannelLayer(**configuration)
    assert layer.get_capacity("any") >= 1_000
    assert layer.group_expiry <= 3_600
