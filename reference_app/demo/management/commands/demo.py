"""One command from nothing to a served socket."""

import argparse
import shlex
import socket
import sys
from pathlib import Path

from realtime.server.drain import Server  # isort: skip  (first: it installs the reactor)
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections

from config.asgi import application
from demo import supervisor
from demo.people import MEMBERS, ORG_ID, settle
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token

# Seconds; long enough for an afternoon with the tokens that the command prints.
TOKEN_LIFESPAN = 10 * 3600

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Make a database with three people and an organization, and serve it on Daphne."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
        # How the supervisor calls it: to serve on the socket that it holds.
        parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)

    def handle(self, *, port, fd, **options):
        if fd is not None:
            return serve(fd)
        listener = listen(port)
        prepare_database()
        port = listener.getsockname()[1]
        self.stdout.write(introduction(port))
        self.stdout.flush()
        connections.close_all()
        command = [sys.executable, sys.argv[0], "demo"]
        sys.exit(supervisor.Supervisor(command, listener).run())


def serve(fd: int) -> None:
    """Serve until the supervisor ends."""
    supervisor.follow_supervisor()
    # On the supervisor's socket, so that no other process can take the port between two servers.
    Server(application, endpoints=[f"fd:fileno={fd}"]).run()


def listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise CommandError(
            f"Port {port} cannot be used ({error}). Choose another: manage.py demo --port 8001"
        ) from None


def prepare_database() -> None:
    try:
        call_command("migrate", verbosity=0)
        settle()
    except (DatabaseError, OSError) as error:
        raise CommandError(
            f"The database {settings.DATABASES['default']['NAME']} cannot be used ({error}). "
            "Set DATA_DIR to a folder that you may write to."
        ) from None


def introduction(port: int) -> str:
    """Return how to connect as each person, in lines to paste, and last what to open."""
    # By its Python: a shell finds the program of a virtual environment only where that is active.
    connect = f"{shlex.quote(sys.executable)} -m websockets"
    http, ws = f"http://{HOST}:{port}", f"ws://{HOST}:{port}"
    lines = [f"Serving {http}, database in {Path(settings.DATA_DIR)}. Stop with Ctrl+C.", ""]
    for person in PEOPLE.values():
        token = access_token(person.username, TOKEN_LIFESPAN)
        role = "a member" if person.username in MEMBERS else "a stranger: refused with 4003"
        lines += [
            f"# {person.given_name}'s notifications, then the organization's events ({role})",
            f"{connect} '{ws}/ws/notifications/?token={token}'",
            f"{connect} '{ws}/ws/events/{ORG_ID}/?token={token}'",
            "",
        ]
    token = access_token("alice", TOKEN_LIFESPAN)
    curl = f"curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'"
    return "\n".join(
        [
            *lines,
            "# Alice notifies herself; Alice creates a resource, which is an organization event",
            f"""{curl} {http}/api/me/notifications/ -d '{{"title": "Hello", "body": "Works"}}'""",
            f"""{curl} {http}/api/organizations/{ORG_ID}/resources/ -d '{{"name": "Plan"}}'""",
            "",
            f"Open {http} in a browser.",
        ]
    )
