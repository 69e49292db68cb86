"""Every setting, with its type, its default and its unit.

A project sets `REALTIME_MAX_FRAME_BYTES = …`, and the code here reads `conf.MAX_FRAME_BYTES`. Each
value is read when it is used, so that a test can override it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.utils.module_loading import import_string

T = TypeVar("T")

PREFIX = "REALTIME_"

# An Origin as browsers send it (RFC 6454, 6.2).
ORIGIN = re.compile(
    r"[a-z][a-z\d+.-]*://([\w.-]+|\[[\da-f:.]+\])(:(?P<port>\d{1,5}))?", re.ASCII | re.IGNORECASE
)


class Setting(Generic[T]):
    """One setting, which has the type of its default."""

    name: str

    def __init__(self, default: T, unit: str, meaning: str):
        self.default, self.unit, self.meaning = default, unit, meaning

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = PREFIX + name

    def __get__(self, conf: object, owner: type | None = None) -> T:
        return getattr(settings, self.name, self.default)

    def problem(self) -> str | None:
        """Return what is wrong with the project's value, or None."""
        value: Any = getattr(settings, self.name, self.default)
        wanted = type(self.default)
        if type(value) is not wanted and not (wanted is list and isinstance(value, tuple)):
            return f"{self.name} is {value!r}. It has to be of type {wanted.__name__}."
        if isinstance(value, int) and wanted is int and value <= 0:
            return f"{self.name} is {value}. It has to be above zero."
        return None


class Origins(Setting[list[str]]):
    """Origins of pages, each of which a browser must be able to send."""

    def problem(self) -> str | None:
        if problem := super().problem():
            return problem
        fault = fault_of_origins(getattr(settings, self.name, self.default))
        return f"{self.name} {fault}." if fault else None


def fault_of_origins(value: Iterable[object]) -> str | None:
    """Say which entries can match no Origin, and how to write them; None where all are right."""
    wrong = ", ".join(repr(each) for each in value if not is_possible_origin(each))
    form = "scheme, host, and the port if it is not the default, as in https://app.example.com"
    return f"has {wrong}, which no browser sends. Write {form}" if wrong else None


def is_possible_origin(entry: object) -> bool:
    found = ORIGIN.fullmatch(entry) if isinstance(entry, str) else None
    return found is not None and int(found["port"] or 0) < 2**16


class Function(Setting[Any]):
    """A function, which a project names by its dotted path."""

    def __get__(self, conf: object, owner: type | None = None) -> Any:
        value = super().__get__(conf, owner)
        return import_string(value) if isinstance(value, str) else value

    def problem(self) -> str | None:
        try:
            function = self.__get__(None)
        except ImportError as error:
            return f"{self.name} cannot be imported: {error}."
        if callable(function) and not iscoroutinefunction(function):
            return None
        return f"{self.name} is {function!r}. It has to be a function that is not async."


class Limit(Setting[int]):
    """What a client can make the server hold or do, at most, and the response to more.

    `elsewhere` says who keeps the limit where `realtime.server` does not run, because uvicorn or
    plain Daphne cannot. It is empty for a limit that every server keeps.
    """

    def __init__(self, default: int, unit: str, meaning: str, response: str, elsewhere: str = ""):
        super().__init__(default, unit, meaning)
        self.response, self.elsewhere = response, elsewhere


class Conf:
    """The settings of this project."""

    # `identity.profiles` has its keys.
    ISSUER = Setting[dict[str, Any]](
        {}, "", "the issuer whose tokens are trusted, by the [keys below](#the-issuer)"
    )
    USER = Function(
        f"{__package__}.authority.token_users.make_user",
        "",
        "the function that returns the user of a subject that is here for the first time",
    )
    ALLOWED_ORIGINS = Origins(
        [], "", "origins of other sites whose pages may open a socket, as `https://app.example.com`"
    )
    # The guide's `?token=…` ends up in the logs of proxies.
    TOKEN_IN_QUERY = Setting(True, "", "whether a client may send its token as `?token=…`")
    EXPIRY_NOTICE_SECONDS = Setting(
        60, "seconds", "how long before its token expires a client is told"
    )
    TAIL_CHECK_SECONDS = Setting(
        5,
        "seconds",
        "the time after which streams are compared with the rows, to find frames that were lost "
        "or left pending",
    )
    HISTORY_FRAMES = Setting(
        1_000, "frames", "frames of a stream that `prune_streams` keeps, so that clients can resume"
    )
    HISTORY_DAYS = Setting(7, "days", "the age at which `prune_streams` deletes a frame")
    RECHECK_SECONDS = Setting(
        30, "seconds", "the time after which the access of every open socket is checked again"
    )
    DRAIN_SECONDS = Setting(
        5, "seconds", "the time over which a server that stops spreads the closing of its sockets"
    )

    METRICS_TOKEN = Setting(
        "", "", "what Prometheus sends as a bearer token; without it, nothing is shown at /metrics"
    )

    # The limits, each of one process. A test has a hostile client for each.

    MAX_MESSAGE_BYTES = Limit(65_536, "bytes", "the longest message of a client", "`error`")
    # Python's own encoder fails at about 975 levels.
    MAX_JSON_DEPTH = Limit(
        64,
        "levels",
        "objects and lists in each other, in a message, a REST body, or a frame of your code",
        "`error`; 400; ValueError",
    )
    MESSAGES_PER_MINUTE = Limit(
        120, "messages", "messages of one socket in a minute, in the long run", "4113"
    )
    MESSAGE_BURST = Limit(20, "messages", "messages of one socket at once", "4113")
    MAX_ERRORS = Limit(10, "messages", "bad messages of one socket in a row", "4509")
    SOCKETS_PER_USER = Limit(50, "sockets", "open sockets of one user", "4504")
    # `deadlines.py` has what happens in this time.
    CONNECT_SECONDS = Limit(4, "seconds", "the time from the handshake to the greeting", "4104")
    REQUEST_SECONDS = Limit(4, "seconds", "the time of a request to a REST view", "503")
    REQUESTS_PER_MINUTE = Limit(
        120, "requests", "REST requests of one user in a minute, in the long run", "429"
    )
    REQUEST_BURST = Limit(60, "requests", "REST requests of one user at once", "429")
    REQUESTS_AT_ONCE = Limit(
        32,
        "requests",
        "requests that a process works on at the same time; the others wait for a second",
        "503",
    )
    ROWS_PER_ANSWER = Limit(
        100,
        "rows",
        "rows of one answer of a REST view that lists",
        "the answer names the next page",
    )
    MAX_BEHIND = Limit(
        1_000, "frames", "frames that arrive for a socket while its client does not read", "4108"
    )
    # Smaller pages cost more queries: of 64 KiB, large frames took twice the CPU.
    HISTORY_PAGE_BYTES = Limit(
        262_144,
        "bytes",
        "frames that are read from the history at once, unless the first alone is longer",
        "the rest is read when the client has read these",
    )
    # A whole history of 1,000 frames of the largest size. What comes while a socket is open is not
    # counted, however it is read.
    RESUMED_BYTES_PER_MINUTE = Limit(
        67_108_864, "bytes", "frames of the history that all sockets of a user are sent", "4113"
    )
    # Daphne cannot send more than 1 MiB. Each process holds what it sends at the moment.
    MAX_FRAME_BYTES = Limit(
        65_536, "bytes", "the largest frame that your code sends to a stream", "ValueError"
    )

    # What a client can do before it is known, and what it can begin without an end.

    MAX_BODY_BYTES = Limit(
        1_048_576,
        "bytes",
        "the longest body of a request",
        "413",
        "the same, but plain Daphne holds the whole body first: nginx `client_max_body_size 1m`",
    )
    MAX_BODIES_BYTES = Limit(
        33_554_432,
        "bytes",
        "bodies of requests that are received or worked on, in all",
        "503",
        "the same on uvicorn; plain Daphne holds them: nginx `limit_conn`",
    )
    BODY_SECONDS = Limit(
        60,
        "seconds",
        "the time for the body of a request",
        "disconnected",
        "408 on uvicorn; plain Daphne waits: nginx `client_body_timeout 10s`",
    )
    # A token has at most 16 KB, and a request may carry it with other headers.
    MAX_HEAD_BYTES = Limit(
        65_536,
        "bytes",
        "the first line of a request and its headers",
        "400, or disconnected",
        "the same on plain Daphne; uvicorn takes 1 MiB: nginx `large_client_header_buffers 4 24k`",
    )
    HEAD_SECONDS = Limit(
        10,
        "seconds",
        "the time from the connection, or from the last answer, to a complete request head",
        "disconnected",
        "both wait: nginx `client_header_timeout 10s`",
    )
    MAX_PENDING_CONNECTIONS = Limit(
        1_000,
        "connections",
        "connections that are no open WebSocket, half of them from one address; a share of the "
        "file descriptors at most",
        "the one that has waited longest for its client is dropped, or else the new one",
        "both keep them until no descriptor is left: nginx `limit_conn` and `worker_connections`",
    )
    MESSAGE_SECONDS = Limit(
        10,
        "seconds",
        "the time for a message that has begun",
        "4108",
        "neither ends it, and no proxy does",
    )
    MAX_UNFINISHED_BYTES = Limit(
        8_388_608,
        "bytes",
        "messages that have begun and are not finished, in all",
        "4108 to the largest",
        "neither; a message has at most 1 MiB on Daphne, and on uvicorn with "
        "`--ws-max-size 1048576`",
    )
    PINGS_PER_MINUTE = Limit(
        120,
        "frames",
        "protocol pings and pongs of one socket in a minute, in the long run",
        "4113",
        "neither, and no proxy does",
    )

    def __iter__(self) -> Iterator[Setting[Any]]:
        return (each for each in vars(type(self)).values() if isinstance(each, Setting))


conf = Conf()
