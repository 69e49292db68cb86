"""Finds who is signed in by Django's sessions, many at a time, and changes no session.

It answers as `django.contrib.auth.get_user` does, which deletes a session that is no longer good
and gives another one a new key. A handshake must do neither, because it cannot set a cookie.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from math import ceil
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.cache import SessionStore as CacheStore
from django.contrib.sessions.backends.db import SessionStore as RowStore
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.db import DatabaseError, OperationalError
from django.utils.crypto import constant_time_compare

# Characters. Django takes no shorter key. A signed cookie is the longest one, and browsers keep no
# longer cookie; memcached takes 250, with a prefix.
SHORTEST, LONGEST, LONGEST_IN_CACHE = 8, 4_096, 128


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The key of a session, which lets its holder in, so that no text of this object shows it."""

    value: str = field(repr=False)

    @classmethod
    def of(cls, cookie: str) -> Self | None:
        """Return the key in a cookie, or None for what is no key."""
        is_key = SHORTEST <= len(cookie) <= LONGEST and cookie.isascii() and cookie.isprintable()
        return cls(cookie) if is_key and " " not in cookie else None

    @property
    def digest(self) -> str:
        """What names the session where its key must not be seen."""
        return sha256(self.value.encode()).hexdigest()

    def claims(self, user: Any, expires_at: int | None) -> dict[str, Any]:
        """Return what consumers read of the user's session in place of a token's claims."""
        now = int(time.time())
        return {"sub": str(user.pk), "sid": self.digest, "iat": now, "exp": expires_at}


class StoredSession(NamedTuple):
    """What a store has of a session.

    `expires_at` is in seconds of the epoch. Only rows tell it; elsewhere it is the latest possible.
    """

    data: Mapping[str, Any]
    expires_at: int


class SignedIn(NamedTuple):
    """The user of a session, and when it expires, which may be over."""

    user: Any
    expires_at: int


class SessionsUnavailableError(OperationalError):
    """The store of sessions fails, which to a socket is a database out of reach."""


# The path of an authentication backend, and a user's primary key.
UserName = tuple[str, Any]


def signed_in(keys: Collection[SessionKey]) -> dict[SessionKey, SignedIn]:
    """Return the users of those of the sessions that have one, also of a user who is disabled.

    Rows are read by one query, and so are the users of Django's own authentication backends. Raises
    DatabaseError where the sessions are out of reach.
    """
    stored = read_sessions(keys)
    names = {key: name for key, each in stored.items() if (name := _user_named_in(each.data))}
    users = _users({*names.values()})
    return {
        key: SignedIn(users[name], stored[key].expires_at)
        for key, name in names.items()
        if name in users and _is_of_this_password(users[name], stored[key].data)
    }


def session_store() -> type[SessionBase]:
    """Return the class of the project's sessions."""
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store


def are_rows() -> bool:
    """Whether sessions are rows, of which a deletion is announced."""
    return issubclass(session_store(), RowStore)


def read_sessions(keys: Collection[SessionKey]) -> dict[SessionKey, StoredSession]:
    """Return those of the sessions that there are."""
    store = session_store()
    read: Any = _by_keys
    if issubclass(store, RowStore):
        read = _rows
    elif issubclass(store, CacheStore):
        read = _cached
    try:
        return dict(read(store, keys)) if keys else {}
    except DatabaseError:
        raise
    except Exception as error:  # each store has errors of its own, and some of them show a key
        kind = type(error).__name__
        raise SessionsUnavailableError(f"the sessions could not be read ({kind})") from error


Found = Iterator[tuple[SessionKey, StoredSession]]


def _rows(store: type[RowStore], keys: Collection[SessionKey]) -> Found:
    rows = store.get_model_class()._default_manager
    for row in rows.filter(session_key__in={key.value for key in keys}):
        expires_at = ceil(row.expire_date.timestamp())
        yield SessionKey(row.session_key), StoredSession(row.get_decoded(), expires_at)


def _cached(store: type[CacheStore], keys: Collection[SessionKey]) -> Found:
    """Ask the cache itself, because Django takes one that is out of reach for a sign-out."""
    asked = {
        store.cache_key_prefix + key.value: key
        for key in keys
        if len(key.value) <= LONGEST_IN_CACHE
    }
    found = caches[settings.SESSION_CACHE_ALIAS].get_many(asked)
    for name, data in found.items():
        session = store()
        session.update(data)
        yield asked[name], _stored(session)


def _by_keys(store: type[SessionBase], keys: Collection[SessionKey]) -> Found:
    for key in keys:
        yield key, _stored(store(key.value))


def _stored(session: SessionBase) -> StoredSession:
    return StoredSession(dict(session.items()), ceil(session.get_expiry_date().timestamp()))


def _user_named_in(data: Mapping[str, Any]) -> UserName | None:
    """Return the backend and the user that a session names, or None where there is no such pair."""
    try:
        backend, pk = data[BACKEND_SESSION_KEY], data[SESSION_KEY]
        name = backend, get_user_model()._meta.pk.to_python(pk)
    except (KeyError, ValidationError):
        return None
    return name if backend in settings.AUTHENTICATION_BACKENDS else None


def _users(names: Collection[UserName]) -> dict[UserName, Any]:
    by_backend: dict[str, set[Any]] = defaultdict(set)
    for path, pk in names:
        by_backend[path].add(pk)
    return {
        (path, pk): user
        for path, pks in by_backend.items()
        for pk, user in _users_of(load_backend(path), pks).items()
    }


def _users_of(backend: Any, pks: Collection[Any]) -> dict[Any, Any]:
    """Return the users whom a backend lets keep a session, and those who are disabled."""
    if getattr(type(backend), "get_user", None) is not ModelBackend.get_user:
        return {pk: user for pk in pks if (user := backend.get_user(pk))}
    users = get_user_model()._default_manager.filter(pk__in=pks)
    kept = (user for user in users if backend.user_can_authenticate(user) or not user.is_active)
    return {user.pk: user for user in kept}


def _is_of_this_password(user: Any, data: Mapping[str, Any]) -> bool:
    """Whether a session began with the user's password of today, under a key that still signs."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    known: str = data.get(HASH_SESSION_KEY) or ""
    return bool(known) and any(constant_time_compare(known, each) for each in hashes)
