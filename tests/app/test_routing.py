import pytest
from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import WebsocketConsumer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path, re_path, resolve

from api.routing import AnyUUIDConverter, websocket_urlpatterns
from demo.people import ORG_ID
from realtime.protocol.close_codes import CloseCode, Refusal
from realtime.routing import SocketRouter

SPELLINGS = [str(ORG_ID), str(ORG_ID).upper(), ORG_ID.hex]

# A consumer closes old connections to the database, of which an earlier test may have left one.
IN_DATABASE = pytest.mark.usefixtures("transactional_db")

UNKNOWN = [
    "/",
    "/ws/",
    "/ws/chat/x",
    "/ws/notifications",
    "/ws/events/x/",
    f"/ws/events/{'-' * 36}/",
]


class ChatConsumer(WebsocketConsumer):
    """A consumer of a project's own."""


chat_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]


async def answers(router, path) -> bool:
    """Whether a consumer answers at `path`: it would accept, if only to refuse."""
    scope = {"refusal": Refusal(CloseCode.UNAUTHORIZED, "Who are you?"), "token": None}

    async def application(inner, receive, send):
        await router({**inner, **scope}, receive, send)

    client = WebsocketCommunicator(application, path)
    let_in, _ = await client.connect()
    await client.disconnect()
    return let_in


@pytest.mark.parametrize("path", UNKNOWN)
async def test_unknown_path_is_refused_without_an_exception(path):
    assert not await answers(SocketRouter(websocket_urlpatterns), path)


# A project's own routes before ours and behind, and as an application that gets all other paths.
OWN_ROUTES = {
    "before": chat_urlpatterns + websocket_urlpatterns,
    "behind": websocket_urlpatterns + chat_urlpatterns,
    "rest": [*websocket_urlpatterns, re_path("", AuthMiddlewareStack(URLRouter(chat_urlpatterns)))],
}


@IN_DATABASE
@pytest.mark.parametrize("routes", OWN_ROUTES.values(), ids=OWN_ROUTES)
async def test_routes_of_a_project_are_reached_in_any_order(routes):
    router = SocketRouter(routes)
    assert await answers(router, "/ws/chat/")
    assert await answers(router, "/ws/notifications/")
    assert not await answers(router, "/ws/nothing/")


@IN_DATABASE
async def test_lists_of_routes_can_be_joined_in_the_router_of_channels_too():
    for routes in (OWN_ROUTES["before"], OWN_ROUTES["behind"]):
        assert await answers(URLRouter(routes), "/ws/chat/")
        assert await answers(URLRouter(routes), "/ws/notifications/")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_uuid_is_the_same_organization(spelling):
    assert AnyUUIDConverter().to_python(spelling) == ORG_ID
    found = resolve(f"/api/organizations/{spelling}/resources/")
    assert found.kwargs == {"org_id": ORG_ID}
