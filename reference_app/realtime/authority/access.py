"""Checks whether sockets may listen, many at a time.

The database alone decides. Announcements and timers only say when to ask it.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from math import inf
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError
from django.db.models import F

from ..concurrency.batched_query import BatchedQuery
from ..identity.errors import InvalidTokenError
from ..identity.issuers import trusted_issuer
from ..identity.tokens import is_offline, session_of
from ..models import EndedSession
from ..protocol.close_codes import CloseCode, Refusal
from ..signals import access_ended
from .sessions import SessionKey, SignedIn, signed_in
from .topics import Pair, Topic

logger = logging.getLogger(__name__)

USER_DISABLED = Refusal(CloseCode.UNAUTHORIZED, "The user is disabled.")
SESSION_ENDED = Refusal(CloseCode.UNAUTHORIZED, "The session was signed out.")
TOKEN_EXPIRED = Refusal(CloseCode.UNAUTHORIZED, "The token has expired.")
NOT_SIGNED_IN = Refusal(CloseCode.UNAUTHORIZED, "You are not signed in.")
COOKIE_EXPIRED = Refusal(CloseCode.UNAUTHORIZED, "The session has expired.")
# After a change of password a page may go on with a new cookie, which takes a moment to arrive.
COOKIE_ENDED = Refusal(CloseCode.UNAUTHORIZED, "The session has ended.", retry_after_ms=2_000)
# Those that refuse the token itself, each with its word in REST answers and in the log.
WORDS = {USER_DISABLED: "user_disabled", SESSION_ENDED: "session_ended"}

# Those and others, each with its word in the metrics.
CAUSES = WORDS | {
    TOKEN_EXPIRED: "token_expired",
    COOKIE_EXPIRED: "session_expired",
    COOKIE_ENDED: "session_ended",
}

TOPIC_FAILED = Refusal(CloseCode.INTERNAL_ERROR, "The server made a mistake.")

# What is read of a user's identity, under names that no field of the user has.
OF_IDENTITY = {
    "token_subject": F("token_identities__subject"),
    "token_signed_out_at": F("token_identities__signed_out_at"),
    "token_offline_signed_out_at": F("token_identities__offline_signed_out_at"),
}


def report_end(refusal: Refusal) -> None:
    """Report that an open socket has lost its access."""
    cause = CAUSES.get(refusal, refusal.code.name.lower())
    access_ended.send_robust(Access, cause=cause)


class Access(NamedTuple):
    """What a socket's access rests on.

    `subject` and `session` are a token's `sub` and `sid`; a token need not have a session. `user`
    is the user's primary key as a string. There is no topic where only the user is asked for.
    `issued_at` and `expires_at` are the token's `iat` and `exp`; None is later than any sign-out.
    With a `session_key` there is no token, but a session of Django's, and these say the same of it.
    """

    subject: str
    session: str | None = None
    topic: Topic | None = None
    key: str = ""
    user: str | None = None
    issued_at: int | None = None
    expires_at: float = inf
    is_offline: bool = False
    session_key: SessionKey | None = None

    @classmethod
    def of(
        cls,
        claims: dict,
        topic: Topic | None = None,
        key: str = "",
        user: str | None = None,
        session_key: SessionKey | None = None,
    ) -> "Access":
        """Return the access that rests on a token's claims, and on what else is given."""
        what = claims["sub"], session_of(claims), topic, key, user
        times = claims.get("iat"), claims.get("exp", inf)
        return cls(*what, *times, is_offline(claims), session_key)

    def renewed(self, claims: dict) -> "Access":
        """Return the same access by a new token, or by the session with another expiry."""
        return self.of(claims, self.topic, self.key, self.user, self.session_key)

    @property
    def expired(self) -> Refusal:
        """Why the access ends at its expiry."""
        return COOKIE_EXPIRED if self.session_key else TOKEN_EXPIRED

    def is_signed_out(self, signed_out_at: int, offline_signed_out_at: int) -> bool:
        """Whether the subject has signed out since the token was issued."""
        until = offline_signed_out_at if self.is_offline else signed_out_at
        return self.issued_at is not None and self.issued_at <= until

    def matches(self, change: Mapping[str, str]) -> bool:
        """Whether a change, which names some of the fields, may have ended this access."""
        fields = self._asdict() | {"topic": self.topic and self.topic.name}
        return all(fields.get(name) == value for name, value in change.items())


class Answer(NamedTuple):
    """What the database says of an access.

    `user` is None where the subject has never been here, and `refusal` where access is granted.
    `expires_at` is the expiry of a session, which a request may have put off.
    """

    user: Any
    refusal: Refusal | None
    expires_at: int | None = None


def as_error(refusal: Refusal) -> InvalidTokenError:
    """Return the error that stands for one of the refusals of a token."""
    return InvalidTokenError(WORDS[refusal], refusal.reason)


def check_access(accesses: Iterable[Access]) -> dict[Access, Answer]:
    """Answer each of these, by two queries and one for each topic, however many there are.

    Those with a session of Django's take two queries more. Raises DatabaseError where the database
    is out of reach.
    """
    asked = set(accesses)
    users = _users({a.subject for a in asked if not a.session_key})
    sessions = signed_in({a.session_key for a in asked if a.session_key})
    ended = _ended({a.session for a in asked if a.session})

    known = {
        a: _by_session(a, sessions, ended) if a.session_key else _by_token(a, users, ended)
        for a in asked
    }
    triples = ((a.topic, known[a].user, a.key) for a in asked if a.topic and not known[a].refusal)
    denied = denials(triples)

    def answer(a: Access) -> Answer:
        found = known[a]
        return found._replace(refusal=found.refusal or denied.get((a.topic, found.user, a.key)))

    return {a: answer(a) for a in asked}


def denials(asked: Iterable[tuple[Topic, Any, str]]) -> dict[tuple, Refusal]:
    """Return those of the triples of topic, user and key in which the user may not listen."""
    by_topic: dict[Topic, set[Pair]] = defaultdict(set)
    for topic, user, key in asked:
        by_topic[topic].add((user, key))
    return {
        (topic, *pair): refusal
        for topic, pairs in by_topic.items()
        for pair, refusal in _denied(topic, pairs).items()
    }


# For sockets, of which many connect at a time.
answer_of, denial_of = BatchedQuery(check_access), BatchedQuery(denials)


def _denied(topic: Topic, pairs: Set[Pair]) -> dict[Pair, Refusal]:
    """Return the pairs that a topic does not allow, which are all of them where it fails.

    The sockets of other topics, which are checked by the same call, do not notice.
    """
    try:
        refused = pairs - _allowed(topic, pairs)
        own = topic.refusals(refused) if refused else {}
        usual = Refusal(CloseCode.FORBIDDEN, topic.denied)
        return {pair: own.get(pair) or usual for pair in refused}
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("The rule of %s failed, so it lets no user in", type(topic).__name__)
        return dict.fromkeys(pairs, TOPIC_FAILED)


def _allowed(topic: Topic, pairs: Set[Pair]) -> Set[Pair]:
    allowed = set(topic.allowed(pairs))
    if unknown := allowed - pairs:
        raise ValueError(
            f"{type(topic).__name__}.allowed() returned {next(iter(unknown))!r}, for which it was "
            "not asked. Return some of the pairs that it was given: a key is a string."
        )
    return allowed


def _by_token(access: Access, users: Mapping, ended: Mapping) -> Answer:
    user = users.get(access.subject)
    if not (user and user.is_active):
        return Answer(user, USER_DISABLED)
    has_ended = access.session in ended and (ended[access.session] or not access.is_offline)
    times = user.token_signed_out_at, user.token_offline_signed_out_at
    is_out = has_ended or access.is_signed_out(*times)
    return Answer(user, SESSION_ENDED if is_out else None)


def _by_session(access: Access, sessions: Mapping[Any, SignedIn], ended: Mapping) -> Answer:
    found = sessions.get(access.session_key)
    if not found or access.session in ended or access.user not in (None, str(found.user.pk)):
        # In a handshake the user is not known yet, and nothing ends.
        return Answer(None, COOKIE_ENDED if access.user else NOT_SIGNED_IN)
    if found.expires_at <= time.time():
        return Answer(found.user, COOKIE_EXPIRED)
    return Answer(found.user, None if found.user.is_active else USER_DISABLED, found.expires_at)


def _users(subjects: Set[str]) -> dict[str, Any]:
    # One model instance for each user, and none for each identity, which would take twice as long.
    users = get_user_model()._base_manager.filter(
        token_identities__issuer=trusted_issuer().issuer, token_identities__subject__in=subjects
    )
    found: Iterable[Any] = users.annotate(**OF_IDENTITY)
    return {user.token_subject: user for user in found}


def _ended(sessions: Set[str]) -> dict[str, bool]:
    """Return those of the sessions that were signed out, and whether offline access was too."""
    ended = EndedSession.objects.filter(session__in=sessions)
    return dict(ended.values_list("session", "with_offline")) if sessions else {}
