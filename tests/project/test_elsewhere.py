"""Where a notebook shows the page: at this machine, in a hub, and where it cannot."""

import pytest

from classroom import elsewhere, frame
from classroom.elsewhere import page_address, settings_of_demo

HUB = {"JUPYTERHUB_SERVICE_PREFIX": "/user/alice/"}
CODESPACE = {"CODESPACE_NAME": "owl"}
LAPTOP = {"base_url": "/", "port": 8888}
BELOW = {"base_url": "/user/me/", "port": 8888}

DIRECT, IN_HUB = "http://127.0.0.1:8123/", "/user/alice/proxy/8123/"
ADDRESSES = [
    ({}, {}, DIRECT),  # VS Code, papermill
    ({}, LAPTOP, DIRECT),
    ({}, BELOW, "/user/me/proxy/8123/"),
    (HUB, {}, IN_HUB),  # a kernel that something else has started
    (HUB, {"base_url": "/user/alice/"}, IN_HUB),
    (CODESPACE, LAPTOP, "/proxy/8123/"),
    (CODESPACE, {}, None),  # VS Code in a browser
]


class Server:
    address = "127.0.0.1:8123"


@pytest.fixture
def at(monkeypatch):
    """Return a function that makes a kernel's environment, and the Jupyter server above it."""
    for name in [*HUB, *CODESPACE]:
        monkeypatch.delenv(name, raising=False)

    def make(environment, server, has_proxy=True):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(elsewhere, "jupyter_server", lambda: server)
        monkeypatch.setattr(elsewhere, "find_spec", lambda name: object() if has_proxy else None)

    return make


@pytest.mark.parametrize(("environment", "server", "address"), ADDRESSES)
def test_page_is_where_the_readers_browser_finds_it(at, environment, server, address):
    at(environment, server)
    assert page_address(8123) == address


@pytest.mark.parametrize(("environment", "server"), [(HUB, {}), ({}, BELOW), (CODESPACE, LAPTOP)])
def test_there_is_no_page_elsewhere_without_the_proxy(at, environment, server):
    at(environment, server, has_proxy=False)
    assert page_address(8123) is None


def test_frame_shows_the_address_of_the_page(at):
    at(HUB, {})
    assert f'<iframe src="{IN_HUB}"' in frame(Server()).html


def test_frame_without_a_page_is_a_sentence_and_the_recorded_picture(at, monkeypatch):
    at(HUB, {}, has_proxy=False)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    frame(Server())._ipython_display_()
    (data,) = shown
    assert data["text/plain"] == frame.NONE
    assert frame.NONE in data["text/markdown"]
    assert "recorded/page_in_chromium_light.png" in data["text/markdown"]


@pytest.mark.parametrize("server", [{}, LAPTOP])
def test_demo_on_a_laptop_believes_no_proxy(at, server):
    at({}, server)
    assert settings_of_demo() == {}


def test_demo_in_a_hub_believes_the_proxy_and_allows_no_other_origin(at):
    at(HUB, {})
    assert settings_of_demo() == {"LOCAL_PROXY": "true", "REALTIME_ALLOWED_ORIGINS": ""}


def test_demo_in_a_codespace_allows_the_origins_by_which_that_names_the_page(at):
    at(CODESPACE, LAPTOP)
    names = "https://owl-8888.app.github.dev,http://localhost:8888,https://localhost:8888"
    assert settings_of_demo()["REALTIME_ALLOWED_ORIGINS"] == names
