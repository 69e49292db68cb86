"""The browser client knows what the server knows."""

import gzip
import json
import re

import pytest

from realtime.identity.tokens import LEEWAY
from realtime.protocol.close_codes import Code
from realtime.sockets.carriers import BEARER_SUBPROTOCOL, SUBPROTOCOL
from tests.project.frontend import (
    CLIENT_BUNDLES,
    CLOSE_CODES,
    DIGEST,
    FRONTEND,
    PAGE_BUNDLES,
    all_codes,
    close_codes,
    digest,
)

BUILD = "cd reference_app/frontend && npm ci && npm run build"


def test_close_codes_of_the_client_are_the_servers():
    command = f".venv/bin/python -m tests.regenerate --pages && {BUILD}"
    assert CLOSE_CODES.read_text() == close_codes(), f"Run: {command}"


def test_bundles_are_built_from_the_sources_of_today():
    assert DIGEST.read_text().strip() == digest(), f"Run: {BUILD}"


def test_codes_of_all_apps_differ_and_are_applications_own():
    codes = all_codes()
    assert len({code.name for code in codes}) == len({*codes}) == len(codes)
    assert [code for code in codes if code not in range(4000, 5000)] == [1011, 1012]


def test_client_knows_the_codes_of_each_app(monkeypatch):
    class MeetingCode(Code):
        OVER = 4510, "the meeting is over", "stop", None

    assert MeetingCode.OVER not in all_codes()
    monkeypatch.setattr(MeetingCode, "__module__", "meetings.close_codes")
    assert "  OVER: 4510,\n" in close_codes()


def test_lock_file_names_no_source_but_the_registry():
    lock = json.loads((FRONTEND / "package-lock.json").read_text())
    packages = [each for path, each in lock["packages"].items() if path]
    assert packages
    sources = {each["resolved"] for each in packages if "resolved" in each}
    assert [url for url in sources if not url.startswith("https://registry.npmjs.org/")] == []
    assert [each for each in packages if each.get("link")] == []


def test_subprotocol_of_the_client_is_the_servers():
    code = (FRONTEND / "src" / "realtime" / "token.ts").read_text()
    offered = re.search(r'return \["([^"]+)", .*`([^$]+)\$\{token\}`', code)
    assert offered and offered.groups() == (SUBPROTOCOL, BEARER_SUBPROTOCOL)


def test_seconds_that_the_page_says_a_socket_outlives_its_token_are_the_servers():
    code = (FRONTEND / "src" / "demo" / "causes.ts").read_text()
    assert f"const LEEWAY = {LEEWAY};" in code


def test_every_line_of_python_that_the_page_shows_is_in_its_file():
    code = (FRONTEND / "src" / "demo" / "python.ts").read_text()
    shown = re.findall(r"""python\(\s*"([^"]+)",\s*(?:"([^"]+)"|'([^']+)'),?\s*\)""", code)
    assert len(shown) == code.count("python(") > 10
    for file, *line in shown:
        assert "".join(line) in (FRONTEND.parent / file).read_text(), file


# Bytes over the wire: a client beside an application weighs little, a page with React is its own.
@pytest.mark.parametrize(
    ("bundle", "most"),
    [
        (CLIENT_BUNDLES / "realtime.js", 8_000),
        (PAGE_BUNDLES / "demo.js", 90_000),
        (PAGE_BUNDLES / "keycloak.js", 9_000),
        (PAGE_BUNDLES / "demo.css", 4_000),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_bundle_is_small_once_compressed(bundle, most):
    size = len(gzip.compress(bundle.read_bytes()))
    assert size < most
