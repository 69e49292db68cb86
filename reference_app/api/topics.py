"""Users may listen to their own notifications, and members to their organizations."""

from uuid import UUID

from realtime.authority.topics import Topic

from .models import Membership


class UserTopic(Topic):
    """The notifications of users, by the `sub` of their tokens."""

    name = "user"
    url_kwarg = "user_id"
    hint = "It is the `sub` of the user's tokens, which is in `user.token_identities`."

    def key_in(self, scope):
        return scope["token"]["sub"]

    def allowed(self, pairs):
        return pairs  # the key comes from the user's own token, which the issuer has signed


class OrganizationTopic(Topic):
    """The events of organizations, by their ids."""

    name = "organization"
    key_type = UUID
    url_kwarg = "org_id"
    hint = "For an organization it is `organization.id`."
    # The same for another user's organization, an unknown one and a deleted one.
    denied = "You are not a member of this organization."

    def allowed(self, pairs):
        rows = Membership.objects.in_force().filter(
            user__in={user.pk for user, _ in pairs},
            organization_id__in={key for _, key in pairs},
        )
        members = {(pk, str(org_id)) for pk, org_id in rows.values_list("user", "organization")}
        return {(user, key) for user, key in pairs if (user.pk, key) in members}


user_topic = UserTopic()
organization_topic = OrganizationTopic()
