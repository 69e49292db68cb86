import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError

from api.models import Membership, Organization, is_member
from demo.people import ORG_ID, settle
from devrealm.accounts import PEOPLE
from realtime.authority.users import active_user, end_session
from realtime.identity.errors import InvalidTokenError
from realtime.models import Identity

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
CLAIMS = {"sub": "auth0|abc"}


def test_first_visit_makes_a_user_and_the_second_finds_it():
    first = active_user(CLAIMS)
    assert active_user(CLAIMS) == first
    assert str(first.token_identities.get()) == "auth0|abc"
    assert User.objects.count() == 1


def test_two_subjects_are_two_users():
    one, other = ({"sub": subject} for subject in ("a|b", "a_b"))
    assert active_user(one) != active_user(other)


@pytest.mark.parametrize("subject", ["x" * 255, "Zoë 🦉", "someone@example.com"])
def test_any_subject_has_a_user(subject):
    assert active_user({"sub": subject}).token_identities.get().subject == subject


def test_same_subject_of_another_issuer_is_another_user(settings):
    ours = active_user(CLAIMS)
    settings.REALTIME_ISSUER = settings.REALTIME_ISSUER | {"ISSUER": "https://id.example.com"}
    assert active_user(CLAIMS) != ours


def test_subject_cannot_spell_an_administrator():
    admin = User.objects.create_superuser("admin", password="secret")
    assert active_user({"sub": "admin"}) != admin


def test_disabled_user_is_refused():
    user = active_user(CLAIMS)
    user.is_active = False
    user.save()
    with pytest.raises(InvalidTokenError, match="disabled"):
        active_user(CLAIMS)


def test_user_is_loaded_by_one_query_and_a_signed_out_session_by_the_same(
    django_assert_num_queries,
):
    claims = CLAIMS | {"sid": "first"}
    active_user(claims)
    with django_assert_num_queries(1):
        active_user(claims)
    end_session("first")
    with django_assert_num_queries(1), pytest.raises(InvalidTokenError):
        active_user(claims)


def test_session_that_was_signed_out_is_told_at_a_first_visit():
    end_session("first")
    with pytest.raises(InvalidTokenError):
        active_user(CLAIMS | {"sid": "first"})
    assert User.objects.count() == 0


def test_members_belong_and_strangers_do_not():
    settle()
    users = {name: Identity.objects.get(subject=p.subject).user for name, p in PEOPLE.items()}
    belongs = {name for name, user in users.items() if is_member(user, ORG_ID)}
    assert belongs == {"alice", "bob"}


def test_nobody_belongs_to_an_inactive_organization():
    settle().delete()
    organization = Organization.objects.create(name="Gone", is_active=False)
    user = active_user(CLAIMS)
    membership = Membership.objects.create(organization=organization, user=user)
    assert str(membership) == f"{user} in Gone"
    assert not is_member(user, organization.id)


def test_member_belongs_once():
    user, organization = active_user(CLAIMS), settle()
    Membership.objects.create(organization=organization, user=user)
    with pytest.raises(IntegrityError):
        Membership.objects.create(organization=organization, user=user)


def test_settling_again_changes_nothing():
    for _ in range(2):
        settle()
        assert (User.objects.count(), Membership.objects.count()) == (3, 2)
