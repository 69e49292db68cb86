"""What every test here has, and tests elsewhere may have too."""

import pytest
import pytest_asyncio

from ..authority import request_rate
from ..delivery import outbox, resumed_bytes
from ..protocol.limits import Allowances
from ..testing.dialogue import close_connections_as_in_production
from ..testing.layers import default_layer, layer_in_process

__all__ = [
    "connections_are_closed_as_in_production",
    "layer",
    "published",
    "users_have_sent_and_been_sent_nothing_yet",
]


@pytest.fixture(autouse=True)
def connections_are_closed_as_in_production(monkeypatch):
    close_connections_as_in_production(monkeypatch)


@pytest.fixture(autouse=True)
def users_have_sent_and_been_sent_nothing_yet(monkeypatch):
    """The process counts over minutes what a user asks for, and tests share their users."""
    for counted in (request_rate, resumed_bytes):
        monkeypatch.setattr(counted, "allowances", Allowances(counted.make))


@pytest_asyncio.fixture(params=["pubsub", pytest.param("core", marks=pytest.mark.full)])
async def layer(request):
    """Each real layer in turn, over a Redis in process, as this process's default."""
    async with default_layer(layer := layer_in_process(request.param)):
        yield layer


@pytest.fixture
def published(monkeypatch):
    """Return the list of what is handed to the layer after a commit."""
    entries = []
    monkeypatch.setattr(outbox, "messages_of", lambda new: new)
    monkeypatch.setattr(outbox, "publish", entries.extend)
    return entries
