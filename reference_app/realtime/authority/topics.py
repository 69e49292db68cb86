"""Topics, by which a project says who may listen to what."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

from ..protocol.close_codes import Refusal
from ..protocol.groups import stream_group
from .announcement import announce

# A Django user and the key of a stream. A project may have a user model of its own.
Pair = tuple[Any, str]

# Characters of a key, which is a subject, a UUID, a number, a slug.
MAX_KEY = 255

# No UTF-8 spells one, so no client could send it.
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


# The class that has each name.
OWNERS: dict[str, str] = {}


class Topic(ABC):
    """A family of streams, such as those of organizations, and who may listen to each.

    Each stream of a topic has a key. Consumers and senders take the topic, so that nothing can be
    sent to a stream of which no topic says who may listen.
    """

    # Names the topic in the names of its streams: lower-case letters, at most 30.
    name: ClassVar[str]
    # What a key is: `str`, `int` or `UUID`. Every spelling of a UUID or a number is the same key.
    key_type: ClassVar[type] = str
    # The part of the URL that is the key, as in `path("ws/events/<uuid:org_id>/", …)`.
    url_kwarg: ClassVar[str] = "key"
    # Says in an error where a sender finds the key.
    hint: ClassVar[str] = ""
    # What a client reads that may not listen.
    denied: ClassVar[str] = "You may not listen to this."

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a name that cannot be part of a stream's, or is another topic's.

        Listeners of the one topic would receive what is sent to the other.
        """
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            return
        if not re.fullmatch("[a-z]{1,30}", cls.name):
            raise ImproperlyConfigured(
                f"{cls.__name__}.name is {cls.name!r}. It has to be of 1 to 30 lower-case letters."
            )
        owner = f"{cls.__module__}.{cls.__qualname__}"
        if (other := OWNERS.setdefault(cls.name, owner)) != owner:
            raise ImproperlyConfigured(
                f"{owner} and {other} have the name {cls.name!r}. Give one of them another name."
            )

    @abstractmethod
    def allowed(self, pairs: Set[Pair]) -> Set[Pair]:
        """Return those of the pairs of user and key in which the user may listen to the key.

        Called in a thread, with the pairs of many sockets at once, when they connect, when
        `changed` was called, and at intervals. One query should answer for all of them.
        """

    def refusals(self, pairs: Set[Pair]) -> Mapping[Pair, Refusal]:
        """Return refusals of your own for some of these pairs, which `allowed` has left out.

        The others are closed with FORBIDDEN and `denied`. Called as `allowed` is, and after it.
        """
        return {}

    def key_in(self, scope: dict) -> str:
        """Return the key that a handshake asks for."""
        return self.clean(scope["url_route"]["kwargs"][self.url_kwarg])

    def clean(self, key: Any) -> str:
        """Return the one spelling of a key.

        Raises TypeError or ValueError for what is no key of this topic.
        """
        wanted = self.key_type.__name__
        if not isinstance(key, self.key_type | str | UUID) or isinstance(key, bool):
            found = type(key).__name__
            raise TypeError(f"`{self.url_kwarg}` is a {wanted}, not {found}. {self.hint}".rstrip())
        try:
            return self._checked(str(self.key_type(str(key))))
        except ValueError as error:
            raise ValueError(f"`{self.url_kwarg}` cannot be {key!r:.50}: {error}.") from None

    def _checked(self, key: str) -> str:
        if not 0 < len(key) <= MAX_KEY:
            raise ValueError(f"it has 1 to {MAX_KEY} characters, not {len(key)}")
        if LONE_SURROGATE.search(key):
            raise ValueError("it holds half a surrogate pair")
        return key

    def stream(self, key: Any) -> str:
        """Return the name of the stream of a key.

        Raises what `clean` raises.
        """
        return stream_group(self.name, self.clean(key))

    def changed(self, *, key: Any = None, user: Any = None) -> None:
        """Check again, in every process, the open sockets of this key, of this user, or of both.

        Call this where a user may have lost access, as in a signal of your membership model.
        `user` is a user or a user's primary key.
        """
        change = {"topic": self.name}
        if key is not None:
            change["key"] = self.clean(key)
        if user is not None:
            change["user"] = str(getattr(user, "pk", user))
        announce(**change)
