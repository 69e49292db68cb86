"""Says before the first frame what is missing or wrong in the settings."""

from django.core.checks import Error, Tags, register
from django.db import connections, router

from .conf import conf
from .models import Entry

# The databases that `delivery.statements` knows, by Django's word for each.
SUPPORTED = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


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
    """Say which part of the issuer is missing, before a token is compared with an empty one."""
    return [
        Error(
            f"REALTIME_ISSUER has no {name}.",
            hint="Set it to the value of your Keycloak realm.",
            id="realtime.E001",
        )
        for name in ("ISSUER", "AUDIENCE")
        if not (isinstance(conf.ISSUER, dict) and conf.ISSUER.get(name))
    ]


@register()
def check_settings(app_configs, **kwargs):
    """Report each setting whose value cannot be used."""
    return [Error(problem, id="realtime.E003") for each in conf if (problem := each.problem())]
