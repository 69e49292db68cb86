"""Users by their tokens, sessions that have ended, and what was sent to whom."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Identity(models.Model):
    """Ties the subject of an issuer's tokens to a Django user."""

    # The `iss` and the `sub` of the tokens (OpenID Connect Core, 2): only the pair is unique.
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    # None where the subject was signed out before its first visit.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="token_identities",
    )
    # A sign-out from all sessions ends the tokens with an `iat` up to this, in seconds of the epoch
    # by the issuer's clock. Offline access outlives most sign-outs, so it has a time of its own.
    signed_out_at = models.BigIntegerField(db_default=0, editable=False)
    offline_signed_out_at = models.BigIntegerField(db_default=0, editable=False)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once"),
        ]

    def __str__(self):
        return self.subject


class EndedSession(models.Model):
    """A session of the issuer, by its `sid`, that was signed out before its tokens expired."""

    # By then all tokens of the session have expired; the longest lifespans are a few days.
    KEPT = timedelta(days=30)

    session = models.CharField(max_length=255, unique=True)
    ended_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # Whether offline access that the session had given ended too.
    with_offline = models.BooleanField(db_default=False)

    class Meta:
        ordering = ["-ended_at"]

    def __str__(self):
        return self.session


def new_tag() -> str:
    """Return what tells an entry from another one that had the same offset, in 48 random bits."""
    return secrets.token_urlsafe(6)


class Stream(models.Model):
    """What was sent to one key of a topic, such as a user, in order.

    It has the name of the group to which its frames are sent.
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

    # The only index, because every read and every deletion is a range of offsets of one stream.
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


class ReadMark(models.Model):
    """How far a user has read a stream, on whatever device."""

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Of the last entry that was read.
    offset = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "stream"], name="read_mark_once"),
        ]

    def __str__(self):
        return f"{self.user_id} has read {self.stream_id} up to {self.offset}"


class PendingEntry(models.Model):
    """A frame that a transaction has sent, and that has no place in its stream yet."""

    # The name and no foreign key: its check would lock the row of the stream until the commit.
    stream = models.CharField(max_length=100, db_index=True)
    # As in an entry, but without the offset.
    frame = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "pending entries"

    def __str__(self):
        return f"{self.id} for {self.stream}"
