"""The addresses of other services, each a URL in the environment that may hold a password."""

import os
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

import environ
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import SSLConnection, parse_url

from .environment import host, is_of_kubernetes, port, reject, setting

# Seconds. The core layer blocks for 5 in BZPOPMIN. redis-py 8 gives up after 5 by default, so an
# idle socket dies (channels_redis#422). None would hang publishers while Redis is frozen.
REDIS_TIMEOUTS = {"socket_timeout": 15, "socket_connect_timeout": 2}
# One that does not answer leaves time to ask the next, within the deadline of a call to the layer.
SENTINEL_TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
SENTINEL_PORT = "26379"

# What a database's query may have for Django; the rest is for PostgreSQL's client.
FOR_DJANGO = {"assume_role", "isolation_level", "server_side_binding"}
ENCODE = "in a user or password / ? # @ : [ ] and the comma are written as %2F and so on"


def split(url: str, schemes: tuple[str, ...]) -> SplitResult:
    """Return the parts of a URL, or raise a ValueError that shows none of them.

    PostgreSQL's URLs may name several hosts, each with a port.
    """
    if not url.startswith(starts := tuple(f"{scheme}://" for scheme in schemes)):
        raise ValueError(f"it does not begin with {' or '.join(starts)}")
    try:
        parts = urlsplit(url)
        known = "," in parts.netloc or parts.port != 0
    except ValueError:
        known = False
    if not known or parts.fragment:
        raise ValueError(f"its host or port cannot be read; {ENCODE}")
    return parts


def issuer(url: str) -> str:
    if not split(url, ("https", "http")).hostname:
        raise ValueError("it names no host")
    return url


def database(url: str) -> dict:
    """Return Django's settings of a database, whose OPTIONS are the query of the URL."""
    if url == "sqlite://:memory:":
        return environ.Env.db_url_config(url) | {"OPTIONS": {}}
    parts = split(url, ("postgres", "postgresql", "sqlite"))
    if parts.scheme == "sqlite" and parts.netloc:
        raise ValueError("it names a host; sqlite:///file has three slashes, or four")
    settings = {"OPTIONS": {}} | environ.Env.db_url_config(url)
    if parts.scheme == "sqlite":
        return settings
    if (folder := parts.netloc.rpartition("@")[2]).lower().startswith("%2f"):
        settings["HOST"] = unquote(folder)  # of a unix socket, as PostgreSQL's client reads it
    if not (settings["NAME"] or settings["OPTIONS"].keys() & {"service", "dbname"}):
        raise ValueError("it names no database")
    if settings.get("CONN_MAX_AGE"):
        raise ValueError("conn_max_age has no use beside the pool")
    check_options(settings["OPTIONS"])
    return settings


def check_options(options: dict) -> None:
    try:
        from psycopg import ProgrammingError, conninfo
    except ImportError:
        raise ValueError("psycopg is not installed, which the extra `postgres` brings") from None
    for name in options.keys() - FOR_DJANGO:
        try:
            conninfo.make_conninfo("", **{name: options[name]})
        except ProgrammingError:
            raise ValueError(f"PostgreSQL's client knows no option {name}") from None


def redis_urls(value: str) -> list[str]:
    """Return the URLs of one Redis, or of several that are shards."""
    urls = [each.strip() for each in value.split(",")]
    for url in urls:
        parts = split(url, ("redis", "rediss", "unix"))
        unix = parts.scheme == "unix"
        if unix and (parts.hostname or parts.path in ("", "/")):
            raise ValueError("a unix socket is written as unix:///path, with three slashes")
        if not unix and not parts.hostname:
            raise ValueError("it names no host")
        if not unix and not (number := parts.path.removeprefix("/")).isdecimal() and number:
            raise ValueError("what follows the host is no database's number")
        try:
            ConnectionPool.from_url(url).make_connection()
        except (TypeError, ValueError):
            raise ValueError("its query has an option that redis-py does not take") from None
    return urls


def sentinels(value: str) -> list[tuple[str, int]]:
    """Return the addresses of Sentinels, which know the master of each name."""
    addresses = []
    for each in value.split(","):
        name, separator, number = each.strip().rpartition(":")
        if not separator or number.endswith("]"):  # of an IPv6 address
            name, number = each.strip(), SENTINEL_PORT
        addresses.append((host(name).strip("[]"), port(number)))
    return addresses


def redis_hosts(urls: list[str], watchers: list[tuple[str, int]]) -> list[dict]:
    """Return what channels_redis takes for each Redis, which Sentinels may have to find."""
    if not watchers:
        return [{"address": url, **REDIS_TIMEOUTS} for url in urls]
    return [found_by(watchers, url) for url in urls]


def found_by(watchers: list[tuple[str, int]], url: str) -> dict:
    """Return what channels_redis takes for a master, whose name is the host of the URL."""
    options: dict = {**parse_url(url)}
    is_tls = options.pop("connection_class", None) is SSLConnection
    for of_a_host in ("host", "port"):
        options.pop(of_a_host, None)
    found = {"sentinels": watchers, "sentinel_kwargs": SENTINEL_TIMEOUTS}
    found["master_name"] = master_in(url)
    return found | options | REDIS_TIMEOUTS | ({"ssl": True} if is_tls else {})


def master_in(url: str) -> str:
    """Return the name of a master as it is spelled, where a host's name would become lower case."""
    return urlsplit(url).netloc.rpartition("@")[2].partition(":")[0]


def redis_of_environment() -> list[str]:
    """Return the URLs of REDIS_URL, or one of REDIS_HOST and REDIS_PORT."""
    if "REDIS_URL" in os.environ:
        reject("REDIS_HOST", "REDIS_URL is set, which names the host")
    number = 6379
    if not is_of_kubernetes("REDIS_PORT"):
        if "REDIS_HOST" not in os.environ:
            reject("REDIS_PORT", "it belongs to REDIS_HOST, and REDIS_URL has a port of its own")
        number = setting(port, "REDIS_PORT", default=number)
    if "REDIS_URL" not in os.environ:
        reject("REDIS_PASSWORD", "a password is a part of REDIS_URL, as in redis://:password@host")
    by_host = f"redis://{setting(host, 'REDIS_HOST', default='redis')}:{number}/0"
    return setting(redis_urls, "REDIS_URL", default=[by_host])


def broker_found_by(watchers: list[tuple[str, int]], url: str) -> str:
    """Return the URL of a master as Celery writes it."""
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    prefix = f"sentinel://{credentials}{at}"
    return ";".join(f"{prefix}{host(name)}:{number}{parts.path}" for name, number in watchers)


def broker_on(url: str) -> str:
    """Return the URL of a Redis as Celery writes it, for a unix socket and for TLS."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        number = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={quote(number)}"
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        # Without it Celery believes any certificate; the layer's client does not.
        return f"{url}{'&' if parts.query else '?'}ssl_cert_reqs=required"
    return url
