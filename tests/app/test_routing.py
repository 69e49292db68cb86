import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import resolve

from api.routing import AnyUUIDConverter, websocket_urlpatterns
from demo.people import ORG_ID

SPELLINGS = [str(ORG_ID), str(ORG_ID).upper(), ORG_ID.hex]


async def answers(path) -> bool:
    """Whether a consumer answers at `path`: it would accept, if only to refuse."""
    scope = {"refusal": None, "token": None, "user": None}

    async def application(inner, receive, send):
        await URLRouter(websocket_urlpatterns)({**inner, **scope}, receive, send)

    client = WebsocketCommunicator(application, path)
    let_in, _ = await client.connect()
    await client.disconnect()
    return let_in


@pytest.mark.parametrize(
    "path",
    ["/", "/ws/", "/ws/chat/", "/ws/notifications", "/ws/events/x/", f"/ws/events/{'-' * 36}/"],
)
async def test_unknown_path_is_refused_without_an_exception(path):
    assert not await answers(path)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_uuid_is_the_same_organization(spelling):
    assert AnyUUIDConverter().to_python(spelling) == ORG_ID
    found = resolve(f"/api/organizations/{spelling}/resources/")
    assert found.kwargs == {"org_id": ORG_ID}
