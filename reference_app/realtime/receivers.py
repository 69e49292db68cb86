"""Announces what the models of users and sessions say about access.

`QuerySet.update()` and raw SQL send no signal: the periodic check finds what they change.
"""

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from .authority.announcement import announce
from .models import EndedSession, Identity


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def user_saved_handler(sender, instance, **kwargs):
    if not instance.is_active:
        announce(user=str(instance.pk))


@receiver(post_delete, sender=Identity)
def identity_deleted_handler(sender, instance, **kwargs):
    """Announce a deleted user too, whose identity is deleted first."""
    announce(subject=instance.subject)


@receiver(post_save, sender=EndedSession)
def session_ended_handler(sender, instance, **kwargs):
    announce(session=instance.session)
