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
from demo.people import ORG_ID, settle
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
        help = "print a person's access token, and serve nothing"
        parser.add_argument("--token", choices=PEOPLE, help=help)

    def handle(self, *, port, fd, token, **options):
        if token:
            return self.stdout.write(access_token(token, TOKEN_LIFESPAN))
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
    """Return one screen: what to open, and how to listen and send from another terminal."""
    http, ws = f"http://{HOST}:{port}", f"ws://{HOST}:{port}"
    # By its Python: a shell finds the program of a virtual environment only where that is active.
    python = shlex.quote(sys.executable)
    # Where this one has its data, because that is where the key is that signs the tokens.
    manage = shlex.quote(str(Path(sys.argv[0]).resolve()))
    token = f"DATA_DIR={shlex.quote(str(settings.DATA_DIR))} {python} {manage} demo --token alice"
    curl = "curl -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json'"
    return f"""\
Serving {http}, database in {Path(settings.DATA_DIR)}. Stop with Ctrl+C.

Open {http} in a browser: Alice and Bob are signed in there, side by side.

# In another terminal: a token of Alice's, which is good for {TOKEN_LIFESPAN // 3600} hours
TOKEN=$({token})

# Listen to Alice's notifications, or to the events of her organization
{python} -m websockets "{ws}/ws/notifications/?token=$TOKEN"
{python} -m websockets "{ws}/ws/events/{ORG_ID}/?token=$TOKEN"

# Send Alice a notification, or the organization an event
{curl} {http}/api/me/notifications/ -d '{{"title": "Hello", "body": "Works"}}'
{curl} {http}/api/organizations/{ORG_ID}/resources/ -d '{{"name": "Plan"}}'

Bob is a member too: --token bob. Mallory is not, and is refused with 4003: --token mallory."""
