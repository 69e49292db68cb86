"""Who may listen: one answer for connecting and for staying."""

import uuid

import pytest
from django.contrib.auth import get_user_model

from api.models import Membership, Organization
from api.topics import organization_topic
from demo.people import ORG_ID, settle
from devrealm.accounts import PEOPLE
from realtime.authority.access import SESSION_ENDED, USER_DISABLED, Access, Answer, check_access
from realtime.authority.users import active_user, end_session, sign_out
from realtime.identity.errors import InvalidTokenError
from realtime.models import Identity
from realtime.protocol.close_codes import CloseCode, Refusal

pytestmark = pytest.mark.django_db

ALICE, BOB, MALLORY = (person.subject for person in PEOPLE.values())
ACME = str(ORG_ID)
NOT_A_MEMBER = Refusal(CloseCode.FORBIDDEN, "You are not a member of this organization.")


@pytest.fixture(autouse=True)
def people():
    return settle()


def asked_for(subject, session=None, org_id=None):
    return Access(subject, session, organization_topic if org_id else None, org_id)


def refusals(asked):
    return {access: each.refusal for access, each in check_access(asked).items() if each.refusal}


def refusal(*access):
    asked = asked_for(*access)
    return refusals([asked]).get(asked)


def user(subject):
    return Identity.objects.get(subject=subject).user


def test_answer_names_the_user_also_of_one_who_is_refused():
    asked = [asked_for(ALICE), asked_for(MALLORY, None, ACME), asked_for("nobody")]
    found = check_access(asked)
    assert [found[each].user for each in asked] == [user(ALICE), user(MALLORY), None]


def test_user_and_member_may_listen():
    assert refusal(ALICE) is None
    assert refusal(ALICE, "a session", ACME) is None
    assert refusals([]) == {}


def test_disabled_deleted_and_unknown_users_may_not():
    get_user_model().objects.filter(pk=user(ALICE).pk).update(is_active=False)
    user(BOB).delete()
    assert refusal(ALICE) == refusal(BOB) == refusal("nobody") == USER_DISABLED
    assert refusal(ALICE, None, ACME) == USER_DISABLED


def test_session_that_was_signed_out_may_not_and_another_may():
    end_session("first")
    assert refusal(ALICE, "first") == refusal(ALICE, "first", ACME) == SESSION_ENDED
    assert refusal(ALICE, "second") is None


# What is signed out, and who is out then: by session, time and scope of the token.
SIGN_OUTS = {
    "session": ([lambda: end_session("first")], {"first 100", "first 101"}),
    "session with offline access": (
        [lambda: end_session("first", with_offline=True)],
        {"first 100", "first 101", "first 100 offline", "first 101 offline"},
    ),
    "session, then with offline access": (
        [lambda: end_session("first"), lambda: end_session("first", with_offline=True)],
        {"first 100", "first 101", "first 100 offline", "first 101 offline"},
    ),
    "session with offline access, then without": (
        [lambda: end_session("first", with_offline=True), lambda: end_session("first")],
        {"first 100", "first 101", "first 100 offline", "first 101 offline"},
    ),
    "user": ([lambda: sign_out(ALICE, 100)], {"first 100", "second 100"}),
    "user, then at an earlier time": (
        [lambda: sign_out(ALICE, 100), lambda: sign_out(ALICE, 99)],
        {"first 100", "second 100"},
    ),
    "user with offline access, then without": (
        [lambda: sign_out(ALICE, 100, with_offline=True), lambda: sign_out(ALICE, 101)],
        {"first 100", "first 101", "second 100", "first 100 offline"},
    ),
    "another user": ([lambda: sign_out(BOB, 101, with_offline=True)], set()),
}


def token_of(name):
    """Return the claims of one of these tokens."""
    session, issued_at, *offline = name.split()
    scope = "openid offline_access" if offline else "openid"
    return {"sub": ALICE, "sid": session, "iat": int(issued_at), "scope": scope}


TOKENS = ["first 100", "first 101", "second 100", "first 100 offline", "first 101 offline"]


@pytest.mark.parametrize(("sign_outs", "out"), SIGN_OUTS.values(), ids=SIGN_OUTS)
def test_sign_out_refuses_these_tokens_and_no_others_on_sockets_and_in_rest(sign_outs, out):
    for each in sign_outs:
        each()
    asked = {name: Access.of(token_of(name)) for name in TOKENS}
    refused = refusals(asked.values())
    assert {name for name, access in asked.items() if access in refused} == out
    assert set(refused.values()) <= {SESSION_ENDED}
    for name in out:
        with pytest.raises(InvalidTokenError, match="signed out"):
            active_user(token_of(name))
    for name in {*TOKENS} - out:
        assert active_user(token_of(name)) == user(ALICE)


def test_sign_out_of_a_subject_that_was_never_here_ends_its_earlier_tokens():
    earlier, later = ({"sub": "new", "iat": iat} for iat in (100, 101))
    sign_out("new", 100)
    with pytest.raises(InvalidTokenError, match="signed out"):
        active_user(earlier)
    assert user("new") is None
    assert active_user(later) == user("new")
    assert refusals(map(Access.of, [earlier, later])) == {Access.of(earlier): SESSION_ENDED}


def test_sign_out_of_a_subject_that_was_never_here_makes_no_user():
    before = get_user_model().objects.count()
    sign_out("new", 100)
    assert refusal("new") == USER_DISABLED
    assert get_user_model().objects.count() == before


def test_sign_out_at_another_issuer_is_none_here(settings):
    here = settings.REALTIME_ISSUER
    settings.REALTIME_ISSUER = here | {"ISSUER": "https://id.example.com"}
    sign_out(ALICE, 100)
    settings.REALTIME_ISSUER = here
    assert active_user(token_of("first 100"))


def test_stranger_unknown_deleted_and_inactive_organization_are_refused_alike():
    gone = Organization.objects.create(name="Gone", is_active=False)
    Membership.objects.create(organization=gone, user=user(ALICE))
    deleted = Organization.objects.create(name="Deleted")
    Membership.objects.create(organization=deleted, user=user(ALICE))
    deleted_id = str(deleted.id)
    deleted.delete()
    asked = [
        (MALLORY, ACME),
        (ALICE, str(gone.id)),
        (ALICE, deleted_id),
        (ALICE, str(uuid.uuid4())),
    ]
    assert [refusal(subject, None, org_id) for subject, org_id in asked] == [NOT_A_MEMBER] * 4


def test_membership_is_not_lent_to_another_organization_or_user():
    other = Organization.objects.create(name="Other")
    Membership.objects.create(organization=other, user=user(MALLORY))
    pairs = [(ALICE, ACME), (ALICE, str(other.id)), (MALLORY, ACME), (MALLORY, str(other.id))]
    asked = [asked_for(subject, None, org_id) for subject, org_id in pairs]
    assert set(refusals(asked)) == {asked[1], asked[2]}


@pytest.mark.parametrize("sockets", [1, 300])
def test_three_queries_whatever_the_number_of_sockets(django_assert_num_queries, sockets):
    asked = [asked_for(ALICE, f"session {n}", str(uuid.uuid4())) for n in range(sockets)]
    with django_assert_num_queries(3):
        assert len(refusals(asked)) == sockets


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({}, True),
        ({"subject": "a"}, True),
        ({"subject": "b"}, False),
        ({"session": "s"}, True),
        ({"session": "t"}, False),
        ({"topic": "organization"}, True),
        ({"topic": "user"}, False),
        ({"topic": "organization", "key": "o"}, True),
        ({"topic": "organization", "key": "p"}, False),
        ({"topic": "organization", "key": "o", "user": "1"}, True),
        ({"topic": "organization", "key": "o", "user": "2"}, False),
        ({"subject": "a", "key": "p"}, False),
        ({"colour": "red"}, False),
    ],
    ids=str,
)
def test_change_concerns_the_accesses_that_have_all_it_names(change, touched):
    assert Access("a", "s", organization_topic, "o", "1").matches(change) is touched


@pytest.mark.parametrize("sid", [None, 7, "", "a\x00b", "\ud800", "x" * 256, ["s"]])
def test_session_that_is_no_name_is_none(sid):
    assert Access.of({"sub": ALICE, "sid": sid}).session is None


def test_user_of_two_issuers_is_asked_about_by_the_subject_of_each(settings):
    here, there = (settings.REALTIME_ISSUER | {"ISSUER": issuer} for issuer in ("here", "there"))
    settings.REALTIME_ISSUER = there
    sign_out("same", 200)
    Identity.objects.filter(issuer="there").update(user=user(ALICE))
    Identity.objects.create(issuer="here", subject="same", user=user(ALICE))
    Identity.objects.create(issuer="here", subject="other", user=user(BOB))
    asked = Access.of({"sub": "same", "iat": 100})
    assert check_access([asked])[asked] == Answer(user(ALICE), SESSION_ENDED)
    settings.REALTIME_ISSUER = here
    assert check_access([asked])[asked] == Answer(user(ALICE), None)
    assert active_user({"sub": "same", "iat": 100}) == user(ALICE)


def test_user_of_another_issuer_may_not_listen(settings):
    settings.REALTIME_ISSUER = settings.REALTIME_ISSUER | {"ISSUER": "https://id.example.com"}
    assert refusal(ALICE) == USER_DISABLED
