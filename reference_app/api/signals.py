"""What happens when a row changes: an organisation event, or the end of somebody's authority."""

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from .authority import announce
from .consumers import broadcast_org_event
from .models import EndedSession, Identity, Membership, Organization, SampleResource


@receiver(post_save, sender=SampleResource)
def resource_created_handler(sender, instance, created, **kwargs):
    """Tell the organisation, once the transaction that created the resource has committed."""
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


# Not heard here, and therefore found by the periodic look-up only: `QuerySet.update()`, raw SQL.


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def user_saved_handler(sender, instance, **kwargs):
    if not instance.is_active:
        for identity in Identity.objects.filter(user=instance):
            announce(subject=identity.subject)


@receiver(post_delete, sender=Identity)
def identity_deleted_handler(sender, instance, **kwargs):
    """Hear of a deleted user too, whose identity goes first."""
    announce(subject=instance.subject)


@receiver(post_save, sender=Organization)
def organization_saved_handler(sender, instance, **kwargs):
    if not instance.is_active:
        announce(org_id=str(instance.id))


@receiver(post_delete, sender=Organization)
def organization_deleted_handler(sender, instance, **kwargs):
    announce(org_id=str(instance.id))


@receiver(post_delete, sender=Membership)
def membership_deleted_handler(sender, instance, origin, **kwargs):
    """Announce the end of a membership, unless its user or organisation is deleted: they do."""
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted is sender:
        announce(org_id=str(instance.organization_id))


@receiver(post_save, sender=Membership)
def membership_saved_handler(sender, instance, created, **kwargs):
    """Announce that a membership was given to someone else."""
    if not created:
        announce(org_id=str(instance.organization_id))


@receiver(post_save, sender=EndedSession)
def session_ended_handler(sender, instance, **kwargs):
    announce(session=instance.session)
