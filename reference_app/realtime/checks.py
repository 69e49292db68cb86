"""Says before the first frame what is missing or wrong in the settings."""

from datetime import timedelta

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import DatabaseError, connections, router
from django.utils import timezone

from .conf import conf
from .identity.issuer_faults import faults_of_issuer
from .models import Entry

# The databases that `delivery.statements` knows, by Django's word for each.
SUPPORTED = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}

# Entries that are looked at to learn how old the history is.
SAMPLE = 1_000

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


@register(Tags.database)
def check_history(app_configs, databases, **kwargs):
    """Warn if frames are kept that `prune_streams` should have deleted.

    Only the first entries by their key are looked at. All of them may be millions, and have no
    index by age, while those of the oldest streams tell whether the command has run.
    """
    alias, days = router.db_for_write(Entry), conf.HISTORY_DAYS
    if alias not in (databases or ()) or not isinstance(days, int):
        return []
    first = Entry.objects.using(alias).order_by("pk").values_list("created_at", flat=True)
    try:
        oldest = min(first[:SAMPLE], default=timezone.now())
    except DatabaseError:  # out of reach, or not migrated yet
        return []
    # A day more, because the command runs once a day.
    if oldest > timezone.now() - timedelta(days=days + 1):
        return []
    return [
        Warning(
            f"Frames of {oldest:%Y-%m-%d} are kept, although REALTIME_HISTORY_DAYS is {days}.",
            hint="Let cron run manage.py prune_streams every day.",
            id="realtime.W006",
        )
    ]


@register()
def check_issuer(app_configs, **kwargs):
    """Report what keeps tokens from being verified, before the first of them is refused.

    A project that signs in by sessions alone says so by an empty REALTIME_ISSUER.
    """
    if getattr(settings, "REALTIME_ISSUER", None) == {}:
        return []
    return [Error(each.problem, hint=each.fix, id="realtime.E001") for each in faults_of_issuer()]


@register()
def check_settings(app_configs, **kwargs):
    """Report each setting whose value cannot be used."""
    return [
        Error(
            problem,
            hint=f"It sets {each.meaning}. The default is {each.default!r}.",
            id="realtime.E003",
        )
        for each in conf
        if (problem := each.problem())
    ]


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
