"""Who may hear what, what was sent to whom, and a resource."""

import secrets
import uuid
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import Exists
from django.db.models.functions import Now
from django.utils import timezone

from .tokens import InvalidTokenError, session_of


class IdentityManager(models.Manager):
    def active_user(self, claims: dict):
        """Return the Django user of verified claims, made at the first visit.

        Raises InvalidTokenError when an administrator has deactivated the user, or the session of
        the token was signed out.
        """
        # No session is named "".
        ended = Exists(EndedSession.objects.filter(session=session_of(claims) or ""))
        known = self.filter(subject=claims["sub"]).select_related("user").annotate(ended=ended)
        identity = known.first() or self._welcome(claims, known)
        if not identity.user.is_active:
            raise InvalidTokenError("user_disabled", "The user is disabled.")
        if identity.ended:
            raise InvalidTokenError("session_ended", "The session was signed out.")
        return identity.user

    @transaction.atomic
    def _welcome(self, claims: dict, known):
        # The name is derived, so that two first visits at once meet in one row, and so that no
        # subject can spell the name of an administrator made by hand.
        User = get_user_model()
        name = f"keycloak-{sha256(claims['sub'].encode()).hexdigest()[:32]}"
        user, _ = User.objects.get_or_create(
            **{User.USERNAME_FIELD: name}, defaults={"email": email_in(claims)}
        )
        self.get_or_create(subject=claims["sub"], defaults={"user": user})
        return known.get()


def email_in(claims: dict) -> str:
    """Return the email that a token claims, or "" for what no database would keep."""
    email = claims.get("email")
    return email if isinstance(email, str) and email.isprintable() and len(email) < 255 else ""


class Identity(models.Model):
    """Ties the `sub` of an issuer's tokens to one Django user."""

    subject = models.CharField(max_length=255, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identity"
    )

    objects = IdentityManager()

    class Meta:
        verbose_name_plural = "identities"

    def __str__(self):
        return self.subject


class EndedSession(models.Model):
    """A Keycloak session, by its `sid`, that was signed out before its tokens expired."""

    # No token of the session is presented any more; the longest lifespans are a few days.
    KEPT = timedelta(days=30)

    session = models.CharField(max_length=255, unique=True)
    ended_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-ended_at"]

    def __str__(self):
        return self.session


def end_session(session: str) -> None:
    """Trust the tokens of a session no longer; forget sessions that ended long ago."""
    EndedSession.objects.filter(ended_at__lt=timezone.now() - EndedSession.KEPT).delete()
    EndedSession.objects.get_or_create(session=session)


class Organization(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="organizations"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Membership(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="member_once"),
        ]

    def __str__(self):
        return f"{self.user} in {self.organization}"


def is_member(user, org_id) -> bool:
    """Whether `user` belongs to an active organisation; an unknown one has no members."""
    return Membership.objects.filter(
        user=user, organization_id=org_id, organization__is_active=True
    ).exists()


class SampleResource(models.Model):
    """Stands for whatever your project creates: its creation is an organisation event."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="resources")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self):
        return self.name


def new_tag() -> str:
    """Return what tells an entry from another one that had the same offset, in 48 random bits."""
    return secrets.token_urlsafe(6)


class Stream(models.Model):
    """What was sent to one user or one organization, in order.

    It has the name of the group that hears of it.
    """

    name = models.CharField(max_length=100, unique=True)
    # The offset of the last entry, whether it is still kept or not; the first entry has 1.
    head = models.BigIntegerField(default=0)
    # The tag of the last entry, and of the one before. A new stream has a tag of its own, so that
    # one that begins again after a restored backup is told from the one that clients have seen.
    tag = models.CharField(max_length=8, default=new_tag, editable=False)
    previous = models.CharField(max_length=8, default="", editable=False)

    def __str__(self):
        return self.name


class Entry(models.Model):
    """One frame of a stream, as every socket gets it."""

    # The only index there is: whatever is read or pruned is a range of offsets of one stream.
    pk = models.CompositePrimaryKey("stream_id", "offset")
    stream = models.ForeignKey(
        Stream, on_delete=models.CASCADE, related_name="entries", db_index=False
    )
    offset = models.BigIntegerField()
    # A database that went back to an earlier state assigns an offset again, but never a tag.
    tag = models.CharField(max_length=8)
    # The tag of the entry before, which proves that nothing was exchanged in between.
    previous = models.CharField(max_length=8)
    frame = models.TextField()
    # By the database's clock, because a sender's may be wrong.
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "entries"

    def __str__(self):
        return f"{self.stream_id} at {self.offset}"


class PendingEntry(models.Model):
    """A frame that a transaction has sent, and that has no place in its stream yet."""

    # The name and no foreign key: its check would lock the row of the stream until the commit.
    stream = models.CharField(max_length=100, db_index=True)
    # As in an entry, but for the offset.
    frame = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "pending entries"

    def __str__(self):
        return f"{self.id} for {self.stream}"
