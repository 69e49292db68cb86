from hashlib import sha256
from uuid import UUID

from channels.layers import BaseChannelLayer
from hypothesis import assume, given
from hypothesis import strategies as st

from api.groups import org_group, user_group

ids = st.text(max_size=300) | st.emails() | st.uuids().map(str)


@given(ids, ids)
def test_two_users_never_share_a_group(one, other):
    assume(one != other)
    assert user_group(one) != user_group(other)


@given(st.uuids(), st.uuids())
def test_two_organisations_never_share_a_group(one, other):
    assume(one != other)
    assert org_group(one) != org_group(other)


@given(ids)
def test_user_and_organisation_of_the_same_id_never_share_a_group(name):
    assert user_group(name) != org_group(name)


@given(ids)
def test_every_layer_takes_the_name(name):
    for group in (user_group(name), org_group(name)):
        assert BaseChannelLayer().require_valid_group_name(group)


@given(st.uuids())
def test_every_spelling_of_an_organisation_is_one_group(org_id):
    spellings = {str(org_id), str(org_id).upper(), org_id.hex, f"{{{org_id}}}", org_id.urn}
    assert {org_group(spelling) for spelling in spellings} == {org_group(org_id)}


def test_group_is_the_same_after_a_restart():
    assert user_group("auth0|abc") == f"user.{sha256(b'auth0|abc').hexdigest()}"
    assert org_group(UUID(int=0)) == org_group("00000000-0000-0000-0000-000000000000")
