from hashlib import sha256
from uuid import UUID

from channels.layers import BaseChannelLayer
from hypothesis import assume, given
from hypothesis import strategies as st

from api.topics import organization_topic, user_topic

subjects = st.text(min_size=1, max_size=255) | st.emails() | st.uuids().map(str)


@given(subjects, subjects)
def test_two_users_never_share_a_group(one, other):
    assume(one != other)
    assert user_topic.stream(one) != user_topic.stream(other)


@given(st.uuids(), st.uuids())
def test_two_organizations_never_share_a_group(one, other):
    assume(one != other)
    assert organization_topic.stream(one) != organization_topic.stream(other)


@given(st.uuids())
def test_user_and_organization_of_the_same_id_never_share_a_group(name):
    assert user_topic.stream(name) != organization_topic.stream(name)


@given(subjects, st.uuids())
def test_every_layer_takes_the_name(subject, org_id):
    for group in (user_topic.stream(subject), organization_topic.stream(org_id)):
        assert BaseChannelLayer().require_valid_group_name(group)


@given(st.uuids())
def test_every_spelling_of_an_organization_is_one_group(org_id):
    spellings = {str(org_id), str(org_id).upper(), org_id.hex, f"{{{org_id}}}", org_id.urn}
    streams = {organization_topic.stream(spelling) for spelling in spellings}
    assert streams == {organization_topic.stream(org_id)}


def test_group_is_the_same_after_a_restart():
    assert user_topic.stream("auth0|abc") == f"user.{sha256(b'auth0|abc').hexdigest()}"
    nil = "00000000-0000-0000-0000-000000000000"
    assert organization_topic.stream(UUID(int=0)) == organization_topic.stream(nil)
