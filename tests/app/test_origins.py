"""The own origin, by the headers that Django's settings trust, and the advice in the log."""

import pytest

from realtime.sockets.origins import Origin, advice_on, own_origin, parse_origin

PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.fixture(autouse=True)
def _hosts(settings):
    settings.ALLOWED_HOSTS = ["app.example.com", "[::1]"]


def handshake(host="app.example.com", scheme=None, **headers):
    """Return the scope of a handshake; `x_forwarded_proto` is the header X-Forwarded-Proto."""
    named = {name.replace("_", "-"): value for name, value in (headers | {"host": host}).items()}
    pairs = [(name.encode(), value.encode()) for name, value in named.items()]
    # Daphne names no scheme.
    return {"type": "websocket", "headers": pairs} | ({"scheme": scheme} if scheme else {})


def own(*arguments, **headers) -> str:
    return str(own_origin(handshake(*arguments, **headers)))


@pytest.mark.parametrize(
    ("scheme", "expected"), [(None, "http"), ("ws", "http"), ("wss", "https")], ids=str
)
def test_scheme_is_the_one_that_the_server_saw(scheme, expected):
    assert own(scheme=scheme) == f"{expected}://app.example.com"


@pytest.mark.parametrize("scheme", [None, "ws", "wss"], ids=str)
@pytest.mark.parametrize(
    ("said", "expected"),
    [("https", "https"), ("http", "http"), ("https, http", "https"), ("https://", "http")],
)
def test_scheme_is_the_one_that_a_trusted_header_names(settings, scheme, said, expected):
    settings.SECURE_PROXY_SSL_HEADER = PROXY_SSL_HEADER
    assert own(scheme=scheme, x_forwarded_proto=said) == f"{expected}://app.example.com"


def test_trusted_header_that_is_missing_leaves_the_scheme_of_the_server(settings):
    settings.SECURE_PROXY_SSL_HEADER = PROXY_SSL_HEADER
    assert own(scheme="wss") == "https://app.example.com"


def test_header_of_a_proxy_is_not_trusted_without_its_setting():
    lies = {
        "x_forwarded_proto": "https",
        "x_forwarded_host": "evil.example",
        "x_forwarded_port": "1",
    }
    assert own(**lies) == "http://app.example.com"


def test_header_that_another_setting_names_is_not_trusted(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_SCHEME", "https")
    assert own(x_forwarded_proto="https") == "http://app.example.com"
    assert own(x_scheme="https") == "https://app.example.com"


def test_header_with_an_underscore_is_not_taken_for_the_trusted_one(settings):
    settings.SECURE_PROXY_SSL_HEADER = PROXY_SSL_HEADER
    scope = handshake()
    scope["headers"].append((b"x_forwarded_proto", b"https"))
    assert str(own_origin(scope)) == "http://app.example.com"


def test_host_is_the_one_that_a_trusted_header_names(settings):
    settings.USE_X_FORWARDED_HOST = True
    assert own("127.0.0.1:8000", x_forwarded_host="app.example.com") == "http://app.example.com"
    assert own("app.example.com", x_forwarded_host="evil.example") == "None"


def test_port_is_the_one_that_a_trusted_header_names(settings):
    """nginx with `Host $host` drops the port."""
    settings.USE_X_FORWARDED_PORT = True
    assert own(x_forwarded_port="8443", scheme="wss") == "https://app.example.com:8443"
    assert own("[::1]", x_forwarded_port="8443") == "http://[::1]:8443"
    assert own("app.example.com:81", x_forwarded_port="8443") == "http://app.example.com:81"
    assert own() == "http://app.example.com"


@pytest.mark.parametrize(
    "host", ["evil.example", "", "a b", "app.example.com/", "app.example.com@evil.example"]
)
def test_host_that_is_not_ours_has_no_own_origin(host):
    assert own(host) == "None"


def test_two_hosts_are_none():
    scope = handshake()
    scope["headers"].append((b"host", b"app.example.com"))
    assert own_origin(scope) is None


def test_on_a_laptop_with_no_allowed_hosts_localhost_is_own(settings):
    """As a project begins, with DEBUG and an empty list; Django's pages are served then."""
    settings.ALLOWED_HOSTS, settings.DEBUG = [], True
    assert own("localhost:8000") == "http://localhost:8000"


def test_content_type_that_django_cannot_parse_is_ignored():
    assert own(content_type="text/plain; charset*=none'x'%41") == "http://app.example.com"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://App.Example.com", Origin("https", "app.example.com", 443)),
        ("http://[::1]:8000", Origin("http", "::1", 8000)),
        ("capacitor://localhost", Origin("capacitor", "localhost", None)),
        ("null", None),
        ("//app.example.com", None),
    ],
)
def test_origin_is_parsed(text, origin):
    assert parse_origin(text) == origin


ADVICE = {
    "https://app.example.com": "If a proxy ends TLS, name the header that says so in "
    "SECURE_PROXY_SSL_HEADER.",
    "http://app.example.com:8080": "To allow another one, add it to REALTIME_ALLOWED_ORIGINS.",
    "https://evil.example": "To allow another one, add it to REALTIME_ALLOWED_ORIGINS.",
    "null": "To allow another one, add it to REALTIME_ALLOWED_ORIGINS.",
}


@pytest.mark.parametrize(("origin", "advice"), ADVICE.items(), ids=ADVICE)
def test_advice_names_the_own_origin_and_the_setting_that_decides(origin, advice):
    own = "This server's own is 'http://app.example.com'."
    assert advice_on(origin, handshake()) == f"{own} {advice}"


def test_advice_names_a_host_that_is_not_ours():
    assert advice_on("https://app.example.com", handshake("127.0.0.1:8000")) == (
        "ALLOWED_HOSTS does not have the host '127.0.0.1:8000'."
    )
