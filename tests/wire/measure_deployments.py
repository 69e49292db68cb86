"""What the conformance kit says of each server, and of the guide, behind nginx with TLS, today."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.laboratory.stacks import Stack, guide
from tests.wire.nginx import behind_nginx, nginx
from tests.wire.parts import AppServer
from tests.wire.servers import real_redis

PATH = "/ws/notifications/"
HOST = "localhost"
OPTIONS = [
    "--drain",
    # The guide's layer drops an idle socket after 5 s (channels_redis#422), one after the other.
    "--idle=20",
    # More than one process lets a user have.
    "--sockets=60",
    # The organization of the demo, of which Mallory is no member.
    "--forbidden-path=/ws/events/123e4567-e89b-12d3-a456-426614174000/",
]

ROW = re.compile(r"(passed|failed|not checked) +(.+)\n")

GUIDE = "the guide"
DEPLOYMENTS = {
    **{name: Stack(name) for name in ("realtime.server", "uvicorn", "daphne")},
    GUIDE: guide(),
}

PREPARE = """
import django; django.setup()
from demo.management.commands.demo import prepare_database
prepare_database()
from devrealm.issue import access_token
print(*(access_token(name, lifespan=3600) for name in ("alice", "mallory")))
"""

SEND = """
import asyncio
from tests.laboratory.without_server import set_up; set_up()
from devrealm.accounts import PEOPLE
from {senders} import broadcast_notification
asyncio.run(broadcast_notification(PEOPLE["alice"].subject, {{"title": "Hello"}}))
"""


class Measuring:
    """Deployments with one database and one Redis, and the kit before each."""

    def __init__(self, folder: Path, redis_port: int):
        self.folder = folder
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder}/app.sqlite3",
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(redis_port),
            "REALTIME_DRAIN_SECONDS": "1",
        }

    def prepare(self) -> None:
        printed = subprocess.run(
            [sys.executable, "-c", PREPARE],
            env=os.environ | self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        *_, last = printed.stdout.splitlines()
        self.tokens = last.split()

    def measured(self, name: str) -> dict[str, str]:
        """Return by promise what the kit says of a deployment."""
        stack = DEPLOYMENTS[name]
        environment = self.environment_of(stack)
        server = AppServer(stack.server, stack.application, **environment)
        # nginx takes no space in a path.
        folder = self.folder / name.replace(" ", "_")
        folder.mkdir()
        try:
            server.start()
            with nginx(folder, [f"127.0.0.1:{server.port}"], name=HOST) as front:
                options = [*OPTIONS, "--send-command", sending(stack, environment)]
                lines, code = self.said(f"{front.ws}{PATH}", folder, server, options)
        finally:
            server.kill()
        rows = [found.groups() for line in lines if (found := ROW.fullmatch(line))]
        found = {promise: outcome for outcome, promise in rows}
        assert code == int("failed" in found.values()), lines
        return found

    def environment_of(self, stack: Stack) -> dict[str, str]:
        if stack.resumes:
            return behind_nginx(self.environment, HOST)
        return self.environment | {"DJANGO_SETTINGS_MODULE": stack.settings}

    def said(
        self, url: str, folder: Path, server: AppServer, options: Sequence[str]
    ) -> tuple[list[str], int]:
        """Return what the kit prints and its exit code; restart the server when it asks for it."""
        lines = []
        alice, mallory = self.tokens
        arguments = [url, "--token", alice, "--other-token", mallory, *options]
        trust = {"SSL_CERT_FILE": str(folder / "certificate.pem"), "no_proxy": "*"}
        with subprocess.Popen(
            [sys.executable, "-m", "realtime.conformance", *arguments],
            env=os.environ | trust,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as kit:
            for line in kit.stdout:
                assert alice not in line and mallory not in line
                lines.append(line)
                if line == "Restart the server now.\n":
                    server.stop()
                    server.start()
        return lines, kit.returncode


def sending(stack: Stack, environment: dict[str, str]) -> str:
    """Return a command that sends a notification to Alice."""
    variables = [f"{key}={value}" for key, value in environment.items()]
    script = SEND.format(senders=stack.senders)
    return shlex.join(["env", *variables, sys.executable, "-c", script])


def measured_on_all() -> dict[str, dict[str, str]]:
    """Return by deployment, and then by promise, what the kit says; all are checked at once."""
    with (
        real_redis() as port,
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor() as pool,
    ):
        measuring = Measuring(Path(folder), port)
        measuring.prepare()
        return dict(zip(DEPLOYMENTS, pool.map(measuring.measured, DEPLOYMENTS), strict=True))
