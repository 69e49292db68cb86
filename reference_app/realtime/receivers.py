"""Announces what the models of users and sessions say about access.

`QuerySet.update()` and raw SQL send no signal: the periodic check finds what they change.
"""

import logging

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import DatabaseError, transaction
from django.db.models.signals import post_delete, post_init, post_save
from django.dispatch import receiver
from django.utils import timezone

from .authority.announcement import announce
from .authority.sessions import SessionKey, are_rows
from .authority.users import end_session
from .models import EndedSession, Identity

logger = logging.getLogger(__name__)


@receiver(post_init, sender=settings.AUTH_USER_MODEL)
def user_loaded_handler(sender, instance, **kwargs):
    """Remember the password's hash, because a project may save its users at each request."""
    instance._password_before = vars(instance).get("password")


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def user_saved_handler(sender, instance, created, update_fields, **kwargs):
    """Announce a user who is disabled, or has a new password, which ends sessions."""
    has_new = False
    if update_fields is None or "password" in update_fields:
        # One from a cache of pickled users may remember nothing.
        before, now = map(vars(instance).get, ("_password_before", "password"))
        has_new, instance._password_before = before != now, now
    if not instance.is_active or (has_new and not created):
        announce(user=str(instance.pk))


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def user_deleted_handler(sender, instance, **kwargs):
    announce(user=str(instance.pk))


@receiver(post_delete, sender=Identity)
def identity_deleted_handler(sender, instance, **kwargs):
    """Announce a deleted user too, whose identity is deleted first."""
    announce(subject=instance.subject)


@receiver(post_save, sender=EndedSession)
def session_ended_handler(sender, instance, **kwargs):
    announce(session=instance.session)


def session_deleted_handler(sender, instance, **kwargs):
    """Announce a user's deleted session, unless it has expired, as those of `clearsessions` have.

    A login deletes the session of before, which has no user.
    """
    if instance.expire_date > timezone.now() and SESSION_KEY in instance.get_decoded():
        announce(session=SessionKey(instance.session_key).digest)


for model in apps.get_models():
    if issubclass(model, AbstractBaseSession):
        post_delete.connect(session_deleted_handler, sender=model)


@receiver(user_logged_out)
def user_logged_out_handler(sender, request, user, **kwargs):
    """Note the end of a session that is no row.

    Django deletes it after this, and sends no signal then.
    """
    key = getattr(getattr(request, "session", None), "session_key", None)
    if not (user and key) or are_rows():
        return
    try:
        with transaction.atomic():
            end_session(SessionKey(key).digest)
    except DatabaseError as error:
        logger.error("A sign-out could not be announced: %r", error)
