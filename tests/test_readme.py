"""The README says what the code says."""

import re

import pytest

from api.limits import DEFAULTS
from api.routing import websocket_urlpatterns
from tests.readme import README, ROOT, refreshed

TEXT = README.read_text()

# Between server, layer and consumer; no client sees them.
INTERNAL = {"authority.changed", "connection.ended", "token.expired"}
INTERNAL |= {"websocket.close", "websocket.send"}


def test_generated_parts_are_up_to_date():
    assert refreshed(TEXT) == TEXT, "Run: python -m tests.regenerate"


def test_every_frame_type_is_documented():
    code = "".join(path.read_text() for path in (ROOT / "reference_app" / "api").glob("*.py"))
    types = set(re.findall(r'"type": "([a-z.]+)"', code)) - INTERNAL
    assert types >= {"connection.established", "connection.closing", "notification", "event"}
    assert [name for name in types if f"`{name}`" not in TEXT] == []


def test_every_error_word_is_documented():
    folder = ROOT / "reference_app" / "api"
    code = (folder / "conversation.py").read_text() + (folder / "frames.py").read_text()
    words = set(re.findall(r'(?:MessageError|__init__)\("(\w+)"', code))
    assert words >= {"malformed", "unknown_type"}
    assert [word for word in words if f"`{word}`" not in TEXT] == []


def test_both_endpoints_are_documented():
    routes = [str(route.pattern) for route in websocket_urlpatterns][:2]
    for route in routes:
        assert "/" + route.replace("any_uuid:", "") in TEXT


LINKS = re.findall(r"\]\(([^)#:]+)\)", TEXT) + re.findall(r'src(?:set)?="([^"]+)"', TEXT)


@pytest.mark.parametrize("target", LINKS)
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_every_setting_from_the_environment_is_documented():
    settings = ROOT / "reference_app" / "config" / "settings"
    code = "".join((settings / f"{name}.py").read_text() for name in ("base", "production"))
    names = set(re.findall(r'setting\(env\.\w+, "(\w+)"', code))
    assert {"REDIS_HOST", "DATABASE_URL"} <= names
    assert [name for name in names | set(DEFAULTS) if f"`{name}`" not in TEXT] == []


def test_every_limits_default_is_the_one_documented():
    rows = dict(re.findall(r"\| `(WEBSOCKET_\w+)` \| ([\d,]+) \|", TEXT))
    assert {name: int(value.replace(",", "")) for name, value in rows.items()} == DEFAULTS
