"""Fixtures of pytest for a project's own tests of topics and consumers.

Import all of them in a `conftest.py`; `README.md` has an example under "Test it". They need
pytest-django, pytest-asyncio and fakeredis.
"""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.layers import BaseChannelLayer
from channels.routing import get_default_application
from django.db import connections

from .dialogue import Socket, bearer, close_connections_as_in_production
from .layers import default_layer, layer_in_process
from .people import make_user, subject_of
from .tokens import THROW_AWAY_ISSUER, access_token

__all__ = ["connect", "django_db_modify_db_settings", "layer", "new_user", "token"]


# Writers wait for one another, and nothing waits for the disk.
OF_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 10,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Have a database that many threads can use.

    A database in memory, which SQLite has by default in tests, raises an error where two of them
    meet. A pool would keep connections of threads that have ended.
    """
    configured = connections["default"].settings_dict
    options = configured.setdefault("OPTIONS", {})
    options.pop("pool", None)
    if connections["default"].vendor != "sqlite":
        yield
        return
    with tempfile.TemporaryDirectory(prefix="test-database-") as folder:
        configured["TEST"]["NAME"] = configured["TEST"].get("NAME") or f"{folder}/test.sqlite3"
        options.update(OF_SQLITE | options)
        yield


@pytest_asyncio.fixture
async def layer() -> AsyncIterator[BaseChannelLayer]:
    """Give the process a channel layer of its own, the one that Redis has, without a Redis."""
    async with default_layer(new := layer_in_process()):
        yield new


@pytest.fixture
def token(settings: Any) -> Callable[..., str]:
    """Return a function that makes access tokens, which are trusted in this test.

    `token(user)` is for a user who is in the database, `token("a subject")` for one who may be made
    at the first visit. Further arguments are `lifespan`, in seconds, and claims.
    """
    settings.REALTIME_ISSUER = THROW_AWAY_ISSUER

    def token_of(user: Any, **claims: Any) -> str:
        return access_token(user if isinstance(user, str) else subject_of(user), **claims)

    return token_of


@pytest_asyncio.fixture
async def new_user(transactional_db: None) -> Callable[..., Awaitable[Any]]:
    """Return a function that makes a user of the project's model.

    Call it as `await new_user("alice", is_staff=True)`.
    """
    return sync_to_async(make_user)


@pytest_asyncio.fixture
async def connect(
    transactional_db: None, layer: BaseChannelLayer, token: Any, monkeypatch: Any
) -> AsyncIterator[Callable[..., Awaitable[Socket]]]:
    """Return a function that opens a socket as a user, and reads its first frame as `greeting`.

        alice = await connect("/ws/teams/7/", user)

    Without a user it is a stranger's. `application` is another one than ASGI_APPLICATION. Every
    socket is left in the end.
    """
    close_connections_as_in_production(monkeypatch)
    opened: list[Socket] = []

    async def open_socket(path: str, user: Any = None, *, application: Any = None) -> Socket:
        headers = bearer(await sync_to_async(token)(user)) if user else []
        socket = Socket(application or get_default_application(), path, headers)
        opened.append(socket)
        await socket.open()
        socket.greeting = await socket.receive()
        return socket

    yield open_socket
    for socket in opened:
        await socket.leave()
