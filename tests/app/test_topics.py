"""A topic says who may listen, to consumers and senders alike."""

import uuid
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.urls import path

from api.models import Membership, Organization, SampleResource
from api.topics import organization_topic
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from realtime.authority import access as access_module
from realtime.authority import registry as registry_module
from realtime.authority import topics as topics_module
from realtime.authority.access import Access, check_access
from realtime.authority.topics import Topic
from realtime.consumer import RealtimeConsumer
from realtime.middleware import JWTAuthMiddleware
from realtime.protocol.close_codes import CloseCode, Code, Refusal
from realtime.senders import broadcast, outgoing
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established, socket

pytestmark = pytest.mark.usefixtures("people", "layer")

ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
ALICE, MALLORY = PEOPLE["alice"].subject, PEOPLE["mallory"].subject


class ResourceTopic(Topic):
    """What happens to a resource, which belongs to an organization, for the members of that."""

    name = "resource"
    key_type = UUID
    url_kwarg = "resource_id"

    def allowed(self, pairs):
        rows = SampleResource.objects.filter(
            id__in={key for _, key in pairs}, org__membership__user__in={user for user, _ in pairs}
        )
        members = {
            (user, str(key)) for user, key in rows.values_list("org__membership__user", "id")
        }
        return {(user, key) for user, key in pairs if (user.pk, key) in members}


class ResourceConsumer(RealtimeConsumer):
    topic = ResourceTopic()


APPLICATION = JWTAuthMiddleware(
    URLRouter([path("ws/resources/<resource_id>/", ResourceConsumer.as_asgi())])
)


async def resource() -> SampleResource:
    return await SampleResource.objects.acreate(name="Plan", org_id=ORG_ID)


def test_topic_that_does_not_say_who_may_listen_cannot_be_made():
    class OpenTopic(Topic):
        name = "open"

    with pytest.raises(TypeError, match="allowed"):
        OpenTopic()


@pytest.mark.parametrize("name", ["", "Projects", "my.topic", "x" * 31, "two words"])
def test_name_that_no_stream_could_have_is_refused(name):
    with pytest.raises(ImproperlyConfigured, match="1 to 30 lower-case letters"):
        type("BadTopic", (Topic,), {"name": name})


def test_name_of_another_topic_is_refused():
    """Its listeners would receive what is sent to the organization."""
    with pytest.raises(ImproperlyConfigured, match="OrganizationTopic have the name"):
        type("SecondTopic", (Topic,), {"name": "organization"})


@pytest.mark.parametrize("attributes", [{}, {"topic": "projects"}, {"topic": ResourceTopic}])
def test_consumer_without_a_topic_is_not_served(attributes):
    consumer = type("OpenConsumer", (RealtimeConsumer,), attributes)
    with pytest.raises(ImproperlyConfigured, match="OpenConsumer has no topic"):
        consumer.as_asgi()


@ON_PUBSUB
async def test_owner_of_a_key_is_looked_up():
    """A member of the resource's organization is let in, and receives; a stranger reads 4003."""
    made = await resource()
    address = f"/ws/resources/{made.id}/"
    async with established(address, "alice", to=APPLICATION) as alice:
        async with socket(address, "mallory", to=APPLICATION) as mallory:
            closing = await mallory.receive()
            assert (closing["code"], closing["reason"]) == (4003, "You may not listen to this.")
        await broadcast(ResourceConsumer.topic, made.id, {"type": "renamed", "name": "Plan B"})
        assert (await alice.receive())["name"] == "Plan B"


@ON_PUBSUB
async def test_key_that_the_topic_does_not_take_is_refused():
    async with socket("/ws/resources/plan/", "alice", to=APPLICATION) as alice:
        assert (await alice.receive())["code"] == CloseCode.FORBIDDEN


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (None, TypeError),
        (True, TypeError),
        (7, TypeError),
        ("", ValueError),
        ("\ud800", ValueError),
    ],
    ids=repr,
)
async def test_nothing_is_sent_to_what_is_no_key(key, error):
    with pytest.raises(error, match="`resource_id`"):
        outgoing(ResourceConsumer.topic, key, {"type": "renamed"})


class NumberTopic(ResourceTopic):
    key_type = int


class SlugTopic(ResourceTopic):
    key_type = str


@pytest.mark.parametrize(
    ("topic", "spellings"),
    [
        (ResourceTopic, [ORG_ID, str(ORG_ID), str(ORG_ID).upper(), ORG_ID.hex]),
        (NumberTopic, [7, "7", "007"]),
        (SlugTopic, [ORG_ID, str(ORG_ID)]),
    ],
)
def test_every_spelling_of_a_key_is_one_stream(topic, spellings):
    assert len({topic().stream(spelling) for spelling in spellings}) == 1


def test_two_slugs_that_differ_in_case_are_two_streams():
    assert SlugTopic().stream("a") != SlugTopic().stream("A")


class Confused(ResourceTopic):
    """Returns keys that are no strings, for which it was not asked."""

    def allowed(self, pairs):
        return {(user, uuid.UUID(key)) for user, key in pairs}


class Broken(ResourceTopic):
    def allowed(self, pairs):
        raise KeyError("a bug of the project")


@pytest.mark.parametrize(
    ("topic", "logged"),
    [(Confused, "Confused.allowed() returned"), (Broken, "a bug of the project")],
)
def test_topic_with_a_bug_lets_nobody_in_and_disturbs_no_other_topic(people, caplog, topic, logged):
    failed = Access(ALICE, None, topic(), str(ORG_ID))
    usual = Access(ALICE, None, organization_topic, str(ORG_ID))
    answers = check_access([failed, usual])
    assert answers[failed].refusal.code == CloseCode.INTERNAL_ERROR
    assert answers[usual].refusal is None
    assert logged in caplog.text


def test_database_that_is_away_is_no_bug_of_a_topic(people):
    class Away(ResourceTopic):
        def allowed(self, pairs):
            raise OperationalError("the server closed the connection unexpectedly")

    with pytest.raises(OperationalError):
        check_access([Access(ALICE, None, Away(), str(ORG_ID))])


@ON_PUBSUB
async def test_open_socket_is_closed_when_its_topic_fails(monkeypatch):
    """Nobody can say any longer that its user may listen."""
    async with established(NOTIFICATIONS, "alice"), established(EVENTS, "alice") as alice:
        monkeypatch.setattr(type(organization_topic), "allowed", Broken.allowed)
        await sync_to_async(organization_topic.changed)(key=ORG_ID)
        assert (await alice.receive())["code"] == CloseCode.INTERNAL_ERROR


class ProjectCode(Code):
    ARCHIVED = 4510, "the resource is archived", "stop", None


ARCHIVED = Refusal(ProjectCode.ARCHIVED, "The resource is archived.")


class ArchivingTopic(ResourceTopic):
    """A resource with an empty name is archived, which only members are told."""

    def allowed(self, pairs):
        return super().allowed(pairs) - self.archived(pairs)

    def refusals(self, pairs):
        return dict.fromkeys(super().allowed(pairs) & self.archived(pairs), ARCHIVED)

    def archived(self, pairs):
        keys = {str(each.id) for each in SampleResource.objects.filter(name="")}
        return {(user, key) for user, key in pairs if key in keys}


class ArchivingConsumer(RealtimeConsumer):
    topic = ArchivingTopic()


ARCHIVING = JWTAuthMiddleware(
    URLRouter([path("ws/resources/<resource_id>/", ArchivingConsumer.as_asgi())])
)


@ON_PUBSUB
async def test_topic_closes_with_a_code_of_the_project_whom_it_names_and_others_with_4003():
    made = await resource()
    address = f"/ws/resources/{made.id}/"
    async with established(address, "alice", to=ARCHIVING) as alice:
        await SampleResource.objects.filter(id=made.id).aupdate(name="")
        await sync_to_async(ArchivingConsumer.topic.changed)(key=made.id)
        assert await alice.receive() == ARCHIVED.frame()
        assert await alice.closed() == 4510
    for name, code in (("bob", ProjectCode.ARCHIVED), ("mallory", CloseCode.FORBIDDEN)):
        async with socket(address, name, to=ARCHIVING) as client:
            assert (await client.receive())["code"] == await client.closed() == code


def test_refusal_for_a_user_who_may_listen_refuses_nobody(people):
    """A topic may return too many of them, and decides by `allowed` alone."""

    class Generous(ResourceTopic):
        def allowed(self, pairs):
            return pairs

        def refusals(self, pairs):
            raise KeyError("not asked, because nobody is refused")

    asked = Access(ALICE, None, Generous(), str(ORG_ID))
    assert check_access([asked])[asked].refusal is None


def test_refusals_that_fail_let_nobody_in(people, caplog):
    class Failing(ResourceTopic):
        refusals = Broken.allowed

    asked = Access(ALICE, None, Failing(), str(ORG_ID))
    assert check_access([asked])[asked].refusal.code == CloseCode.INTERNAL_ERROR
    assert "The rule of Failing failed" in caplog.text


def test_refusals_of_other_pairs_are_left_aside(people):
    """A pair without a refusal of its own is refused all the same."""

    class Careless(ResourceTopic):
        def refusals(self, pairs):
            return {("another", "pair"): ARCHIVED} | dict.fromkeys(pairs)

    asked = Access(ALICE, None, Careless(), str(ORG_ID))
    assert check_access([asked])[asked].refusal.code == CloseCode.FORBIDDEN


def test_one_query_answers_for_many_keys_of_a_topic(django_assert_num_queries):
    asked = [Access(ALICE, None, ResourceConsumer.topic, str(uuid.uuid4())) for _ in range(100)]
    with django_assert_num_queries(2):  # the user, and the topic's
        answers = check_access(asked)
    assert {answer.refusal.code for answer in answers.values()} == {CloseCode.FORBIDDEN}


@ON_PUBSUB
async def test_member_who_leaves_has_only_own_sockets_checked(monkeypatch):
    """An organization of thousands is not looked up whenever one of its members leaves."""
    checked, usual = [], registry_module.check

    async def check(accesses):
        checked.append({access.subject for access in accesses})
        return await usual(accesses)

    monkeypatch.setattr(registry_module, "check", check)
    async with established(EVENTS, "alice") as alice, established(EVENTS, "bob"):
        await sync_to_async(
            Membership.objects.filter(user__token_identities__subject=ALICE).delete
        )()
        assert (await alice.receive())["code"] == CloseCode.FORBIDDEN
    assert checked == [{ALICE}]


@pytest.mark.parametrize(
    ("named", "changes"),
    [
        ({}, {"topic": "organization"}),
        ({"key": ORG_ID}, {"topic": "organization", "key": str(ORG_ID)}),
        ({"user": 7}, {"topic": "organization", "user": "7"}),
        (
            {"key": str(ORG_ID).upper(), "user": 7},
            {"topic": "organization", "key": str(ORG_ID), "user": "7"},
        ),
    ],
    ids=str,
)
def test_change_is_announced_by_topic_key_and_user(monkeypatch, named, changes):
    announced = []
    monkeypatch.setattr(topics_module, "announce", lambda **change: announced.append(change))
    organization_topic.changed(**named)
    assert announced == [changes]


@ON_PUBSUB
async def test_user_is_looked_up_once_while_nothing_changes(monkeypatch):
    """The consumer uses what the middleware has found, except where a change was announced."""
    looked_up, usual = [], access_module._users

    def users(subjects):
        looked_up.append(subjects)
        return usual(subjects)

    monkeypatch.setattr(access_module, "_users", users)
    async with established(EVENTS, "bob"):
        looked_up.clear()
        async with established(EVENTS, "alice"):
            assert looked_up == [{ALICE}]


@ON_PUBSUB
async def test_change_between_the_middleware_and_the_consumer_is_noticed(monkeypatch):
    """The user is disabled after the middleware's look-up, while another socket is open."""
    from realtime import middleware

    usual = middleware.load_user

    async def load_user(claims):
        user = await usual(claims)
        before = registry_module.registry().changes
        user.is_active = False
        await user.asave()
        while registry_module.registry().changes == before:
            await sync_to_async(lambda: None)()
        user.is_active = True  # as it was when the middleware looked
        return user

    async with established(EVENTS, "bob"):
        monkeypatch.setattr(middleware, "load_user", load_user)
        async with socket(EVENTS, "alice") as alice:
            assert (await alice.receive())["reason"] == "The user is disabled."


def test_inactive_organization_lets_no_member_listen(people):
    Organization.objects.update(is_active=False)
    (user,) = {m.user for m in Membership.objects.filter(user__token_identities__subject=ALICE)}
    assert organization_topic.allowed({(user, str(ORG_ID))}) == set()
