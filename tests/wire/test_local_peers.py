"""Who may connect while the settings of a laptop run."""

import httpx
import pytest
from websockets.asyncio.client import connect as open_socket
from websockets.asyncio.client import unix_connect

from classroom import token
from tests.wire.raw import PATH
from tests.wire.servers import COMMANDS, PATIENCE, eventually, serving
from tests.wire.test_hostile_connections import own_address
from tests.wire.test_server import closing_of

REFUSED = "These settings are for one machine: use config.settings.production, or LOCAL_NETWORK=1."
HEADERS = {"Authorization": f"Bearer {token('alice')}"}

pytestmark = pytest.mark.full


def everywhere(name: str) -> list[str]:
    """Return the command of a server that listens on every address."""
    return [word.replace("127.0.0.1", "0.0.0.0") for word in COMMANDS[name]]


@pytest.mark.parametrize("name", COMMANDS)
async def test_other_machines_are_refused_with_the_cure(environment, name):
    with serving([*everywhere(name), "config.asgi:application"], **environment) as server:
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            answer = await http.get(f"http://{own_address()}:{server.port}/")
            assert (answer.status_code, answer.json()["message"]) == (403, REFUSED)
            assert (await http.get(f"http://127.0.0.1:{server.port}/api/me/")).status_code == 401
        url = f"ws://{own_address()}:{server.port}{PATH}"
        subprotocols = ["realtime.v1", f"bearer.{token('alice')}"]
        async with open_socket(url, subprotocols=subprotocols, proxy=None) as client:
            assert client.subprotocol == "realtime.v1"
            assert f'"code": 4003, "reason": "{REFUSED}"' in await client.recv()
            assert (await closing_of(client))[0] == 4003


async def test_variable_lets_other_machines_in(environment):
    command = [*everywhere("realtime.server"), "config.asgi:application"]
    with serving(command, **environment, LOCAL_NETWORK="1") as server:
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            answer = await http.get(f"http://{own_address()}:{server.port}/api/me/")
            assert answer.status_code == 401
        url = f"ws://{own_address()}:{server.port}{PATH}"
        async with open_socket(url, additional_headers=HEADERS, proxy=None) as client:
            assert "connection.established" in await client.recv()


async def test_unix_socket_is_local(environment, tmp_path):
    path = tmp_path / "socket"
    command = [*COMMANDS["realtime.server"], "-u", str(path), "config.asgi:application"]
    with serving(command, **environment):
        await eventually(path.exists)
        async with unix_connect(path, f"ws://localhost{PATH}", additional_headers=HEADERS) as it:
            assert "connection.established" in await it.recv()


async def test_start_says_which_settings_run(start):
    server = start("realtime.server", "pubsub")
    assert any("Settings: config.settings.local, DEBUG" in line for line in server.log)
