"""A small project of these tests, with topics, consumers, routes, and people who listen.

A person's subject is the person's name. Members of the team are kept in memory, because a project's
own models are not known here.
"""

from typing import Any
from uuid import UUID

from channels.routing import URLRouter
from django.contrib.auth import get_user_model
from django.urls import path, re_path

from ..authority.topics import Topic
from ..consumer import RealtimeConsumer
from ..delivery.outbox import Outgoing
from ..middleware import AllowedOriginsValidator, JWTAuthMiddleware
from ..senders import broadcast_many, outgoing
from ..sockets.origins import refuse_handshake
from ..testing.dialogue import Visitors
from ..testing.people import known_user
from ..testing.tokens import access_token

ALICE, BOB, MALLORY = "alice", "bob", "mallory"
TEAM = UUID("7ea70000-0000-4000-8000-000000000007")
OWN, OF_TEAM = "/ws/own/", f"/ws/teams/{TEAM}/"

# The subjects of those who may listen to the team.
members: set[str] = set()


class OwnTopic(Topic):
    """What is sent to one person."""

    # Names of topics are unique in a project, so these are unlike those of any.
    name = "testsown"
    url_kwarg = "subject"

    def key_in(self, scope):
        return scope["token"]["sub"]

    def allowed(self, pairs):
        return pairs


class TeamTopic(Topic):
    """What is sent to the members of a team."""

    name = "teststeam"
    key_type = UUID
    url_kwarg = "team_id"
    denied = "You are not in this team."

    def allowed(self, pairs):
        found = get_user_model()._default_manager.filter(token_identities__subject__in=members)
        allowed = {*found.values_list("pk", flat=True)}
        return {(user, key) for user, key in pairs if user.pk in allowed and key == str(TEAM)}


own_topic, team_topic = OwnTopic(), TeamTopic()


class OwnConsumer(RealtimeConsumer):
    topic = own_topic
    greeting = "Connected to what is yours."


class TeamConsumer(RealtimeConsumer):
    topic = team_topic
    greeting = "Connected to the team."

    def established(self):
        return {"team_id": self.key}


application = AllowedOriginsValidator(
    JWTAuthMiddleware(
        URLRouter(
            [
                path("ws/own/", OwnConsumer.as_asgi()),
                path("ws/teams/<str:team_id>/", TeamConsumer.as_asgi()),
                re_path("", refuse_handshake),
            ]
        )
    )
)

visitors = Visitors(application, access_token)
socket, established, resumed = visitors.socket, visitors.established, visitors.resumed


def settle() -> dict[str, Any]:
    """Create three users, of whom two are members of the team."""
    members.clear()
    members.update({ALICE, BOB})
    return {name: known_user(name) for name in (ALICE, BOB, MALLORY)}


def numbered(number: int, subject: str = ALICE) -> Outgoing:
    """Return a frame to a person."""
    return outgoing(own_topic, subject, {"type": "notification", "n": number})


async def notify(*numbers: int) -> None:
    """Send alice frames, one after the other."""
    for number in numbers:
        await broadcast_many([numbered(number)])


async def heard(client: Any, count: int) -> list[tuple[int, int]]:
    """Return the offsets and the numbers of the next frames."""
    frames = [await client.receive() for _ in range(count)]
    return [(frame["offset"], frame["n"]) for frame in frames]
