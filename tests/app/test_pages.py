"""The demo page, as the server sends it; `tests/browser` is where it runs."""

import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from demo import pages, supervisor
from demo.addresses import seen_from
from demo.people import ORG_ID


def directives(response) -> dict[str, list[str]]:
    policy = response.headers["Content-Security-Policy"]
    return {name: sources for name, *sources in map(str.split, policy.split(";"))}


def configuration(response) -> dict:
    block = re.search(
        r'<script id="configuration" type="application/json">(.+?)</script>',
        response.content.decode(),
    )
    return json.loads(block[1])


def without_devrealm(monkeypatch):
    monkeypatch.setattr(pages.apps, "is_installed", lambda name: name != "devrealm")


def test_policy_allows_nothing_but_the_servers_own():
    policy = directives(Client().get("/"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'", "ws://testserver", "wss://testserver"]
    assert policy["frame-ancestors"] == ["'self'"]


def test_issuer_elsewhere_may_be_asked_for_tokens(monkeypatch, settings):
    without_devrealm(monkeypatch)
    settings.REALTIME_ISSUER = settings.REALTIME_ISSUER | {
        "ISSUER": "https://id.example.com:8443/realms/main"
    }
    response = Client().get("/")
    assert directives(response)["connect-src"][-1] == "https://id.example.com:8443"
    assert configuration(response) == {
        "issuer": settings.REALTIME_ISSUER["ISSUER"],
        "clientId": settings.REALTIME_ISSUER["CLIENT_ID"],
        "devrealm": None,
    }


def test_laptop_lets_jupyterlab_frame_the_page(settings):
    settings.DEBUG = True
    response = Client().get("/")
    assert directives(response)["frame-ancestors"] == [
        "'self'",
        "http://localhost:*",
        "http://127.0.0.1:*",
    ]
    assert "X-Frame-Options" not in response.headers


def test_page_has_nothing_inline_that_the_policy_would_stop():
    html = Client().get("/").content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert not re.search(r'<script(?! (type="module" src=|id="configuration" type="app))', html)


def test_every_file_that_the_page_names_is_there():
    html = Client().get("/").content.decode()
    named = re.findall(r'(?:src|href)="static/([^"]+)"', html)
    assert {"demo/demo.js", "demo/demo.css"} <= set(named)
    assert [name for name in named if not finders.find(name)] == []


def test_page_knows_the_people_and_where_they_get_a_token():
    devrealm = configuration(Client().get("/"))["devrealm"]
    assert devrealm["orgId"] == str(ORG_ID)
    assert [person["username"] for person in devrealm["people"]] == ["alice", "bob", "mallory"]
    form = {"grant_type": "password", "client_id": "web", "username": "bob", "password": "bob"}
    assert Client().post("/" + devrealm["tokenEndpoint"], form).status_code == 200


@pytest.mark.parametrize("watch", [None, "a thread"])
def test_page_offers_a_restart_where_somebody_would_start_the_server_again(monkeypatch, watch):
    monkeypatch.setattr(supervisor, "_watch", watch)
    assert configuration(Client().get("/"))["devrealm"]["canRestart"] is (watch is not None)


def test_page_is_read_and_not_written():
    assert Client().head("/").status_code == 200
    assert Client().post("/").status_code == 405


# What the page asks for, below whatever prefix a hub serves it


def addresses(response) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]+)"', response.content.decode())


def test_page_names_its_files_relative_to_itself():
    files = [f"static/demo/{name}" for name in ("demo.svg", "demo.css", "demo.js")]
    assert addresses(Client().get("/")) == files


@pytest.mark.parametrize(
    ("page", "address", "relative"),
    [
        ("/", "/static/demo.js", "static/demo.js"),
        ("/chat/", "/chat/static/demo.js", "static/demo.js"),
        ("/chat/page/", "/chat/static/demo.js", "../static/demo.js"),
        ("/", "https://cdn.example.com/demo.js", "https://cdn.example.com/demo.js"),
    ],
)
def test_address_is_seen_from_the_page(page, address, relative):
    assert seen_from(page, address) == relative
