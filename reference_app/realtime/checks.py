"""Says before the first frame what is missing or wrong in the settings."""

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import connections, router

from .conf import conf
from .models import Entry

# The databases that `delivery.statements` knows, by Django's word for each.
SUPPORTED = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}

# What stands in CHANNEL_LAYERS where a layer reaches one process only.
IN_PROCESS = ("InMemoryChannelLayer", "fakeredis")


@register(Tags.database)
def check_database(app_configs, databases, **kwargs):
    """Name the databases on which streams can be kept."""
    alias = router.db_for_write(Entry)
    if alias not in (databases or ()) or connections[alias].vendor in SUPPORTED:
        return []
    return [
        Error(
            f"Streams cannot be kept on {connections[alias].display_name}.",
            hint=f"Use {' or '.join(SUPPORTED.values())}, by a database router if it is another's.",
            id="realtime.E002",
        )
    ]


@register()
def check_issuer(app_configs, **kwargs):
    """Say which part of the issuer is missing, before a token is compared with an empty one.

    A project that signs in by sessions alone says so by an empty one.
    """
    if getattr(settings, "REALTIME_ISSUER", None) == {}:
        return []
    return [
        Error(
            f"REALTIME_ISSUER has no {name}.",
            hint="Set it to your Keycloak realm's, or set REALTIME_ISSUER = {} for sessions alone.",
            id="realtime.E001",
        )
        for name in ("ISSUER", "AUDIENCE")
        if not (isinstance(conf.ISSUER, dict) and conf.ISSUER.get(name))
    ]


@register()
def check_settings(app_configs, **kwargs):
    """Report each setting whose value cannot be used."""
    return [Error(problem, id="realtime.E003") for each in conf if (problem := each.problem())]


@register(Tags.security, deploy=True)
def check_deployment(app_configs, **kwargs):
    """Warn of values that do on one laptop, and not on a server."""
    layers = repr(getattr(settings, "CHANNEL_LAYERS", {}))
    named = conf.ISSUER.get("ISSUER", "") if isinstance(conf.ISSUER, dict) else ""
    faults = {
        "W001": conf.ISSUER != {}
        and not str(named).startswith("https://")
        and "REALTIME_ISSUER has an ISSUER without https, so that others can answer in its place.",
        "W002": "*" in settings.ALLOWED_HOSTS
        and "ALLOWED_HOSTS has '*', so that a client chooses what the server's own origin is.",
        "W003": any(each in layers for each in IN_PROCESS)
        and "CHANNEL_LAYERS has a layer in the process, which no other process hears.",
        "W004": connections[router.db_for_write(Entry)].vendor == "sqlite"
        and "Streams are kept in SQLite, which has one writer, so that processes and machines wait "
        "for each other.",
        "W005": "django.contrib.staticfiles" in settings.INSTALLED_APPS
        and not settings.STATIC_ROOT
        and "STATIC_ROOT is not set, so that collectstatic has nowhere to put what pages load.",
    }
    return [Warning(fault, id=f"realtime.{number}") for number, fault in faults.items() if fault]
