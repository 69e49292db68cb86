import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from config.settings import base
from realtime.conf import conf
from realtime.sockets.origins import is_allowed_origin

NUMBERS = [each for each in conf if type(each.default) is int]


def test_setting_comes_from_the_project_or_is_the_default(settings):
    settings.REALTIME_MAX_ERRORS = 3
    assert conf.MAX_ERRORS == 3
    del settings.REALTIME_MAX_ERRORS
    assert conf.MAX_ERRORS == 10


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
def test_every_number_is_read_from_the_environment(setting):
    assert getattr(base, setting.name) == setting.default


@pytest.mark.parametrize("setting", [*conf], ids=lambda setting: setting.name)
def test_every_default_is_accepted_and_explained(setting):
    assert setting.problem() is None
    assert setting.meaning


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MAX_ERRORS", "50", "REALTIME_MAX_ERRORS is '50'. It has to be of type int."),
        ("MAX_ERRORS", True, "REALTIME_MAX_ERRORS is True. It has to be of type int."),
        ("MAX_ERRORS", 0, "REALTIME_MAX_ERRORS is 0. It has to be above zero."),
        ("TOKEN_IN_QUERY", "no", "REALTIME_TOKEN_IN_QUERY is 'no'. It has to be of type bool."),
        ("ALLOWED_ORIGINS", "x", "REALTIME_ALLOWED_ORIGINS is 'x'. It has to be of type list."),
        ("ISSUER", "https://id", "REALTIME_ISSUER is 'https://id'. It has to be of type dict."),
        ("USER", "mysite.users", "REALTIME_USER cannot be imported: No module named 'mysite'."),
        ("USER", "linked", "REALTIME_USER cannot be imported: linked doesn't look like a module"),
        ("USER", "django.VERSION", "It has to be a function that is not async."),
        ("USER", "realtime.identity.tokens.averify", "has to be a function that is not async."),
        ("USER", None, "REALTIME_USER is None. It has to be a function that is not async."),
    ],
)
def test_check_reports_a_value_that_cannot_be_used(settings, name, value, problem):
    setattr(settings, f"REALTIME_{name}", value)
    with pytest.raises(SystemCheckError, match="realtime.E003") as failure:
        call_command("check")
    assert problem in str(failure.value)
    assert f"HINT: It sets {vars(type(conf))[name].meaning}." in str(failure.value)


IMPOSSIBLE = [
    "app.example.com",
    "//app.example.com",
    "*",
    "null",
    "",
    "https://*.example.com",
    "https://app.example.com/",
    "https://app.example.com/chat",
    "https://user@app.example.com",
    "https://app.example.com:99999",
    " https://app.example.com",
    "https://app.example.com ",
    "'https://app.example.com'",
    "https://a.example.com;https://b.example.com",
    "https://a.example.com https://b.example.com",
    '["https://app.example.com"]',
    "https://bücher.example",
    "https://",
    None,
]


@pytest.mark.parametrize("entry", IMPOSSIBLE, ids=repr)
def test_check_names_an_origin_that_no_browser_sends(settings, entry):
    settings.REALTIME_ALLOWED_ORIGINS = ["https://fine.example.com", entry]
    with pytest.raises(SystemCheckError, match="realtime.E003") as failure:
        call_command("check")
    assert (
        f"REALTIME_ALLOWED_ORIGINS has {entry!r}, which no browser sends. Write scheme, host, and "
        "the port if it is not the default, as in https://app.example.com."
    ) in str(failure.value)


@pytest.mark.parametrize(
    "entry",
    [
        "https://app.example.com",
        "HTTPS://App.Example.com:443",
        "http://localhost:5173",
        "http://[::1]:8000",
        "http://my_host:3000",
        "https://xn--bcher-kva.example",
        "capacitor://localhost",
        "chrome-extension://aapocclcgogkmnckokdopfmhonfmgoek",
    ],
)
def test_check_accepts_an_origin_that_a_browser_sends_and_it_can_match(settings, entry):
    settings.REALTIME_ALLOWED_ORIGINS = (entry,)
    call_command("check")
    assert is_allowed_origin(entry.lower(), {"headers": []})


def test_connecting_ends_before_daphne_drops_the_handshake():
    assert conf.CONNECT_SECONDS < 5
