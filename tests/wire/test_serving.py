"""The commands that the guide and the README print, run as they are printed."""

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from classroom import Client, token
from tests.wire.fixtures import demo_served
from tests.wire.servers import free_port, serving

pytestmark = pytest.mark.full

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
        async with server.requests() as http:
            assert (await http.get("/api/me/")).status_code == 401


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with demo_served(tmp_path_factory.mktemp("demo")) as server:
        server.wait_until_it_logs("Bob is a member too")
        yield server


def pasted(command, **environment) -> subprocess.Popen:
    """Start a line as a shell does that knows no virtual environment."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {"PATH": os.defpath} | environment
    return subprocess.Popen(command, shell=True, env=environment, **pipes)


def printed_token(demo, name) -> str:
    """Return what the printed line for a token of Alice's gives, or the same line for another."""
    (line,) = [line.strip() for line in demo.log if line.startswith("TOKEN=")]
    with pasted(f'{line.replace("--token alice", f"--token {name}")}\nprintf %s "$TOKEN"') as shell:
        return shell.communicate()[0]


def test_lines_to_paste_work_in_a_shell_that_knows_no_virtual_environment(demo):
    assert demo.log[0].startswith(f"Serving {demo.http}, ")
    assert any(line.startswith(f"Open {demo.http} in a browser") for line in demo.log)
    tokens = {name: printed_token(demo, name) for name in ("alice", "bob", "mallory")}
    lines = [line for line in demo.log if " -m websockets " in line]
    *accepted, refused = [first_answer(line, each) for each in tokens.values() for line in lines]
    assert len(accepted) == 5
    assert all('"connection.established"' in answer for answer in accepted)
    assert '"connection.closing"' in refused and "4003" in refused


def first_answer(line, token) -> str:
    """Return the first frame that a pasted line shows."""
    with pasted(line, TOKEN=token) as client:
        shown = next((each for each in client.stdout if "< {" in each), "")
        client.communicate("")
    return shown


def test_demo_prints_requests_that_work(demo):
    token = printed_token(demo, "alice")
    lines = [line.strip() for line in demo.log if line.startswith("curl ")]
    assert len(lines) == 2
    for line in lines:
        with pasted(f"{line} --silent --fail", TOKEN=token) as curl:
            said = curl.communicate(timeout=30)
        assert curl.returncode == 0, said


def test_demo_at_a_real_keycloak_is_refused_in_one_line_that_names_the_cure(environment):
    done = run_manage("demo", KEYCLOAK_ISSUER="https://id.example.com/realms/main", **environment)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "KEYCLOAK_ISSUER" in line and "manage.py runserver" in line


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
