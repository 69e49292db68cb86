"""Reads a variable of the environment, or stops the start with one line.

The line names the variable, the problem and the fix. It never shows a value that may be a secret.
"""

import difflib
import ipaddress
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from realtime.conf import PREFIX, fault_of_origins

logger = logging.getLogger(__name__)

MISSING = object()
WORDS = {"true": True, "1": True, "yes": True, "on": True}
WORDS |= {"false": False, "0": False, "no": False, "off": False}
# What Kubernetes sets in each container for a Service that is named `realtime` or `realtime-…`.
OF_A_SERVICE = re.compile(
    r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


def setting(cast: Callable[[str], Any], name: str, default: Any = MISSING) -> Any:
    """Return environment variable `name` through `cast`, or stop the start with one line.

    Without a default, the variable is required.
    """
    if name not in os.environ:
        if default is MISSING:
            sys.exit(f"The environment variable {name} is missing. Set it and start again.")
        return default
    try:
        return cast(os.environ[name].strip())
    except ValueError as error:
        stop(name, str(error), "Set it")


def reject(name: str, fault: str) -> None:
    """Stop the start if a variable is set that would be ignored."""
    if name in os.environ:
        stop(name, fault, "Unset it")


def stop(name: str, fault: str, fix: str) -> NoReturn:
    sys.exit(f"The environment variable {name} cannot be used: {fault}. {fix} and start again.")


def reject_unknown(known: Iterable[str]) -> None:
    """Stop the start at a variable that begins like the settings of `realtime`, and is none."""
    known = list(known)
    for name in sorted(os.environ.keys() - set(known)):
        if name.startswith(PREFIX) and not OF_A_SERVICE.fullmatch(name):
            (nearest,) = difflib.get_close_matches(name, known, 1, cutoff=0)
            stop(name, f"there is no such setting, and {nearest} is the nearest", "Correct it")


def is_of_kubernetes(name: str) -> bool:
    """Tell whether Kubernetes set the variable, as `REDIS_PORT` for a Service named redis."""
    found = os.environ.get(name, "").startswith(("tcp://", "udp://"))
    if found:
        logger.warning("%s is ignored: Kubernetes set it for a Service of that name.", name)
    return found


def text(value: str) -> str:
    if not value:
        raise ValueError("it is empty")
    return value


def secret(value: str) -> str:
    """Return what is too long to be guessed."""
    if len(value) < 16:
        raise ValueError("it has fewer than 16 characters, so that it could be guessed")
    return value


def writable_folder(value: str) -> str:
    if not os.access(text(value), os.W_OK | os.X_OK) or not os.path.isdir(value):
        raise ValueError("it is no folder that this process may write to")
    return value


def listed(value: str) -> list[str]:
    return [each for part in text(value).split(",") if (each := part.strip())]


def boolean(value: str) -> bool:
    if value.lower() not in WORDS:
        raise ValueError(f"it is none of {', '.join(WORDS)}")
    return WORDS[value.lower()]


def zero_or_more(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise ValueError("it is no whole number from zero on")
    return int(value)


def above_zero(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", value) or int(value) == 0:
        raise ValueError("it is no whole number above zero")
    return int(value)


def port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) < 2**16:
        raise ValueError("it is no number from 1 to 65535")
    return int(value)


def host(value: str) -> str:
    """Return a host as a URL has it, which is an IPv6 address in brackets."""
    try:
        address = ipaddress.ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        if not re.fullmatch(r"[\w.-]+", value):
            raise ValueError("it is no host's name or address, without scheme and port") from None
        return value
    return f"[{address}]" if address.version == 6 else str(address)


def origins(value: str) -> list[str]:
    entries = listed(value) if value else []
    if fault := fault_of_origins(entries):
        raise ValueError(f"it {fault}")
    return [as_browsers_send(entry) for entry in entries]


def as_browsers_send(origin: str) -> str:
    """Return an origin in small letters and without a default port, because CORS compares text."""
    parts = urlsplit(origin.lower())
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(default)}"
