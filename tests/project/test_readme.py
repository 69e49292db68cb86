"""The project's pages say what the code says."""

import re

import pytest

from api.routing import websocket_urlpatterns
from realtime.conf import PREFIX, Limit, conf
from tests.bench.attacks import BEYOND
from tests.project.readme import (
    PARTS,
    README,
    REALTIME,
    REFERENCE,
    ROOT,
    default_of,
    links,
    refreshed,
)

APPS = ROOT / "reference_app"

# Between server, layer and consumer; no client sees them.
INTERNAL = {"access.changed", "connection.ended", "token.expired", "frame.told"}
INTERNAL |= {"websocket.accept", "websocket.close", "websocket.send"}
INTERNAL |= {"http.response.start", "http.response.body", "health"}


def code_of(app: str) -> str:
    paths = (path for path in (APPS / app).rglob("*.py") if "tests" not in path.parts)
    return "".join(path.read_text() for path in paths)


def name_of(page) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PARTS, ids=name_of)


@each_page
def test_generated_parts_are_up_to_date(page):
    assert refreshed(page) == page.read_text(), "Run: .venv/bin/python -m tests.regenerate --pages"


def test_page_of_the_copied_folder_links_to_nothing_outside_it():
    folder = REALTIME.parent.resolve()
    assert [to for to in links(REALTIME) if not to.resolve().is_relative_to(folder)] == []


def test_first_page_is_read_on_one_screen():
    assert len(README.read_text().splitlines()) <= 115


@pytest.mark.parametrize(("app", "page"), [("realtime", REALTIME), ("api", REFERENCE)])
def test_every_frame_type_is_documented(app, page):
    types = set(re.findall(r'"type": "([a-z.]+)"', code_of(app))) - INTERNAL
    assert types >= {"realtime": {"connection.closing"}, "api": {"notification", "event"}}[app]
    assert [name for name in types if f"`{name}`" not in page.read_text()] == []


def test_every_error_word_is_documented():
    words = set(re.findall(r'(?:MessageError|__init__)\("(\w+)"', code_of("realtime")))
    words -= {"token_missing", "keys_unavailable"}  # words of a token's fault, for REST
    assert words >= {"malformed", "unknown_type", "token_refused", "too_large"}
    assert [word for word in words if f"`{word}`" not in REALTIME.read_text()] == []


def test_both_endpoints_are_documented():
    routes = [str(route.pattern) for route in websocket_urlpatterns]
    for route in routes:
        assert "/" + route.replace("any_uuid:", "") in REFERENCE.read_text()


def test_every_setting_is_documented_with_the_default_of_conf():
    rows = re.findall(r"\| `(REALTIME_\w+)` \| ([^|]+) \|", REALTIME.read_text())
    assert dict(rows) == {each.name: default_of(each) for each in conf}


# Limits that are reached without a hostile client, and the file that reaches them.
REACHED = {
    "CONNECT_SECONDS": "tests/wire/test_client_limits.py",
    "REQUEST_SECONDS": "tests/app/test_rest.py",
    "ROWS_PER_ANSWER": "tests/app/test_views.py",
    "MAX_BEHIND": "tests/laboratory/test_slow_readers.py",
    "MAX_FRAME_BYTES": "reference_app/realtime/tests/test_frames.py",
}


def test_every_limit_has_a_client_that_goes_beyond_it():
    reached = {name for name, file in REACHED.items() if name in (ROOT / file).read_text()}
    attacked = {name for limits in BEYOND.values() for name in limits}
    limits = {each.name.removeprefix(PREFIX) for each in conf if isinstance(each, Limit)}
    assert reached | attacked == limits


def test_every_variable_of_the_environment_is_documented():
    files = ("base", "local", "production", "addresses")
    code = "".join((APPS / "config" / "settings" / f"{name}.py").read_text() for name in files)
    names = set(re.findall(r"""setting\(\s*\w+, ["'](\w+)["']""", code))
    assert {"REDIS_HOST", "REDIS_URL", "DATABASE_URL", "DJANGO_SECRET_KEY"} <= names
    assert [name for name in names if f"`{name}`" not in REFERENCE.read_text()] == []


def test_glossary_explains_ten_terms():
    glossary = REALTIME.read_text().split("## Glossary")[1].split("\n## ")[0]
    assert len(re.findall(r"^\| \*\*", glossary, re.M)) == 10
