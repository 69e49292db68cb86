"""The demo behind a proxy on its machine, as jupyter-server-proxy is in a hub."""

import pytest

from tests.wire.servers import COMMANDS, serving
from tests.wire.test_behind_tls import FORWARDED, status

HUB = "hub.example.com"
OWN = f"https://{HUB}"
# Each proxy of a chain adds what it sees, and the browser's own comes first.
CHAIN = FORWARDED | {"X-Forwarded-Proto": "https,http"}


@pytest.fixture(scope="module")
def behind_proxy(environment):
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with serving(command, **environment, LOCAL_PROXY="true") as server:
        yield server


@pytest.mark.parametrize("forwarded", [FORWARDED, CHAIN])
async def test_hubs_own_page_is_let_in_and_no_other(behind_proxy, forwarded):
    place = behind_proxy.address
    assert await status(place, OWN, HUB, **forwarded) == "101"
    for origin in ("https://evil.example", f"http://{HUB}", f"{OWN}:8443", "null"):
        assert await status(place, origin, HUB, **forwarded) == "403"


async def test_hub_without_tls_is_let_in_too(behind_proxy):
    assert await status(behind_proxy.address, f"http://{HUB}", HUB) == "101"
    assert await status(behind_proxy.address, "http://evil.example", HUB) == "403"


async def test_without_the_setting_the_hub_is_refused(start):
    place = start("realtime.server", "pubsub").address
    assert await status(place, OWN, HUB, **FORWARDED) == "403"
