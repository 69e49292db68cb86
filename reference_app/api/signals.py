"""Sends organization events, and has access checked again, when a row changes."""

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from .consumers import broadcast_org_event
from .models import Membership, Organization, SampleResource
from .topics import organization_topic


@receiver(post_save, sender=SampleResource)
def resource_created_handler(sender, instance, created, **kwargs):
    """Tell the organization, once the transaction that created the resource has committed."""
    if created:
        async_to_sync(broadcast_org_event)(
            org_id=str(instance.org_id),
            event_type="resource.created",
            data={
                "resource_id": str(instance.id),
                "resource_name": instance.name,
                "created_at": instance.created_at.isoformat(),
            },
        )


# `QuerySet.update()` and raw SQL send no signal: the periodic check finds what they change.


@receiver(post_save, sender=Organization)
def organization_saved_handler(sender, instance, **kwargs):
    if not instance.is_active:
        organization_topic.changed(key=instance.id)


@receiver(post_delete, sender=Organization)
def organization_deleted_handler(sender, instance, **kwargs):
    organization_topic.changed(key=instance.id)


@receiver(post_delete, sender=Membership)
def membership_deleted_handler(sender, instance, origin, **kwargs):
    """Check the sockets of the member, unless the user or the organization was deleted."""
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted is sender:
        organization_topic.changed(key=instance.organization_id, user=instance.user_id)


@receiver(post_save, sender=Membership)
def membership_saved_handler(sender, instance, created, **kwargs):
    """Check all members' sockets, because the membership may have been another user's."""
    if not created:
        organization_topic.changed(key=instance.organization_id)
