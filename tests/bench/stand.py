"""Where one contender is measured: a server on a core of its own, its clients on the others."""

import json
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench import process
from tests.bench.contenders import Contender
from tests.bench.orders import ask
from tests.laboratory.child import ROOT, Child
from tests.laboratory.laboratory import allow_files
from tests.wire.parts import AppServer, RedisProcess

SETTLE = """
import django; django.setup()
import json, sys
from tests.laboratory.audience import seats, settle, token
audience = seats(hall={users})
settle(audience)
json.dump([token(seat) for seat in audience], open(sys.argv[1], "w"))
"""


class House:
    """What all contenders share: a database with users, and their tokens."""

    def __init__(self, folder: Path, users: int, database_url: str = ""):
        self.tokens = folder / "tokens.json"
        self.folder, self.users = folder, users
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url or f"sqlite:///{folder}/db.sqlite3",
        }

    def build(self) -> None:
        """Make the tables, the users, all of them members, and their tokens."""
        self.run("-m", "django", "migrate", "--verbosity=0")
        self.run("-c", SETTLE.format(users=self.users), str(self.tokens))

    def run(self, *command: str) -> None:
        environment = process.os.environ | self.environment
        subprocess.run([sys.executable, *command], env=environment, cwd=ROOT, check=True)


class Stand:
    """A contender that runs, with a crowd and a sender beside it."""

    # The clients of the contender, which are a process of their own.
    clients = "tests.bench.crowd"

    def __init__(self, house: House, contender: Contender, **environment: str):
        self.house, self.contender = house, contender
        self.redis = RedisProcess()
        stack = contender.stack
        self.environment = {
            **house.environment,
            "DJANGO_SETTINGS_MODULE": stack.settings,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.redis.port),
            "CHANNEL_LAYER": stack.layer,
            **environment,
        }
        application = self.environment.pop("SERVED", stack.application)
        self.server = AppServer(stack.server, application, **self.environment)

    async def __aenter__(self) -> "Stand":
        allow_files()
        self.held = AsyncExitStack()
        folder = Path(self.held.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        own, others = process.cores()
        with process.pinned(others):
            self.held.callback(self.redis.kill)
            self.redis.start()
            self.crowd = Child(self.clients, str(self.server.port), self.house.tokens)
            self.sender = Child("tests.bench.event_source", self.contender.stack.senders)
            for child in (self.crowd, self.sender):
                await child.start(self.environment, folder / f"{child.module}.log")
                self.held.push_async_callback(child.kill)
        with process.pinned(own):
            self.held.callback(self.server.kill)
            self.server.start()
        return self

    async def __aexit__(self, *exception) -> None:
        await self.held.aclose()

    @property
    def pid(self) -> int:
        return self.server.life.process.pid

    def cpu(self) -> float:
        return process.cpu_seconds(self.pid)

    def memory(self) -> float:
        return process.memory_kib(self.pid)

    # What the crowd and the sender are asked for

    async def open(self, clients: int, path: str, at_once: int = 20) -> dict:
        answer = await ask(self.crowd, "open", number=clients, path=path, at_once=at_once)
        assert answer["greeted"] == clients, f"{self.contender} greeted {answer} of {clients}"
        return answer

    async def send_one(self) -> None:
        """Send one event to everybody."""
        if self.contender.kind == "bare":
            await ask(self.crowd, "shout", text=EVENT)
        else:
            await ask(self.sender, "event")


# The event as it goes over the wire, of the same size as the reference's.
EVENT = json.dumps({"type": "event", "data": {"padding": "x" * 237}, "offset": 1})
