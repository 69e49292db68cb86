"""What `testing/` gives to the tests of a project."""

import pytest
from django.contrib.auth import get_user_model

from ..identity.tokens import verify
from ..models import Identity
from ..protocol.close_codes import CloseCode
from ..testing import people
from ..testing.people import known_user, make_user, subject_of
from .project import OF_TEAM, OWN, application, members


def subjects(user) -> list[str]:
    return [*Identity.objects.filter(user=user).values_list("subject", flat=True)]


def test_users_of_the_projects_model_are_made(db):
    one, other = make_user("one"), make_user("other")
    assert one.pk != other.pk
    assert not one.has_usable_password()
    assert make_user("third", password="of its own").password == "of its own"


def test_required_field_of_an_unknown_type_is_named(db, monkeypatch):
    monkeypatch.setattr(people, "VALUES", {})
    login = get_user_model().USERNAME_FIELD
    with pytest.raises(ValueError, match=rf"No value is known for .*\. Pass one: {login}=…"):
        make_user("alice")


def test_user_is_known_by_one_subject(db):
    user = make_user("alice")
    assert subject_of(user) == subject_of(user)
    assert subjects(user) == [subject_of(user)]
    assert subject_of(known_user("bob")) == "bob"


def test_token_is_good_for_a_user_and_for_a_subject(db, token):
    user = make_user("alice")
    assert verify(token(user))["sub"] == subject_of(user)
    claims = verify(token("a subject", email="a@example.com", lifespan=60))
    assert (claims["sub"], claims["email"]) == ("a subject", "a@example.com")
    assert claims["exp"] - claims["iat"] == 60


async def test_socket_is_opened_as_a_user_and_its_first_frame_read(connect, new_user):
    alice = await connect(OWN, await new_user("alice"), application=application)
    assert alice.greeting["type"] == "connection.established"
    await alice.send({"type": "ping", "timestamp": 7})
    assert await alice.receive() == {"type": "pong", "timestamp": 7}


async def test_refusal_is_the_first_frame_of_a_stranger_and_of_one_without_access(
    connect, new_user
):
    members.clear()
    stranger = await connect(OF_TEAM, application=application)
    assert stranger.greeting["code"] == await stranger.closed() == CloseCode.UNAUTHORIZED
    mallory = await connect(OF_TEAM, await new_user("mallory"), application=application)
    assert mallory.greeting["code"] == await mallory.closed() == CloseCode.FORBIDDEN


async def test_handshake_that_is_not_accepted_fails_at_connect(connect):
    with pytest.raises(AssertionError, match="refused before it was accepted"):
        await connect("/ws/unknown/", application=application)
