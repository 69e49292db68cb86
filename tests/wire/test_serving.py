"""The commands that the guide and the README print, run as they are printed."""

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect as plain_connect

from classroom import Client, token
from tests.wire.fixtures import demo_served
from tests.wire.servers import free_port, serving

MANAGE = str(Path(__file__).parents[2] / "reference_app" / "manage.py")


def run_manage(*arguments, **environment):
    return subprocess.run(
        [sys.executable, MANAGE, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_guides_daphne_command_serves_sockets(environment):
    command = f"daphne -b 0.0.0.0 -p {free_port()} config.asgi:application"
    with serving(["-m", *shlex.split(command)], **environment) as server:
        url = f"ws://127.0.0.1:{server.address.rpartition(':')[2]}/ws/notifications/"
        alice = await Client.connect(f"{url}?token={token('alice')}")
        assert (await alice.receive())["type"] == "connection.established"
        await alice.leave()


async def test_runserver_serves_sockets_and_requests(environment):
    port = free_port()
    command = [MANAGE, "runserver", "--noreload", str(port)]
    with serving(command, **environment) as server:
        alice = await Client.connect(f"{server.ws}/ws/notifications/", token=token("alice"))
        assert (await alice.receive())["type"] == "connection.established"
        await alice.leave()
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{server.http}/api/me/")).status_code == 401


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with demo_served(tmp_path_factory.mktemp("demo")) as server:
        server.wait_until_it_logs("resources")
        yield server


def printed(server, start) -> list[list[str]]:
    """Return the command lines that the demo prints, split as a shell splits them."""
    return [shlex.split(line) for line in server.log if line.startswith(start)]


async def test_demo_prints_socket_lines_that_work(demo):
    greetings = []
    for _, url in printed(demo, "websockets "):
        async with plain_connect(url, proxy=None) as client:
            greetings.append(re.search('"type": "([^"]+)"', await client.recv())[1])
    assert greetings == ["connection.established"] * 5 + ["connection.closing"]


def test_demo_prints_a_websockets_command_that_runs(demo):
    _, url = printed(demo, "websockets ")[0]
    cli = subprocess.run(
        [sys.executable, "-m", "websockets", url],
        input="",
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "Connected to ws://" in cli.stdout


def test_demo_prints_requests_that_work(demo):
    for command in printed(demo, "curl "):
        done = subprocess.run(
            [*command, "--silent", "--fail"], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr


def test_demo_on_a_taken_port_says_so_in_one_line(environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_manage("demo", "--port", port, **environment)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert port in line and "Choose another" in line


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_demo_on_an_impossible_port_says_so_in_one_line(environment, port):
    done = run_manage("demo", f"--port={port}", **environment)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1


def test_demo_in_an_unwritable_folder_says_so_in_one_line(environment, tmp_path):
    (tmp_path / "file").touch()
    place = environment | {"DATA_DIR": str(tmp_path / "file" / "below")}
    done = run_manage("demo", "--port", "0", **place)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "DATA_DIR" in line
