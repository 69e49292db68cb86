"""The people of the course: their database and their tokens."""

import os
import tempfile

from asgiref.sync import sync_to_async

from .leftovers import clear_away, remember_loggers

# Tokens of the course end on 1 January 2100, so that no output depends on the day it was made.
COURSE_ENDS = 4102444800


async def prepare() -> None:
    """Set Django up, with a database in a temporary folder and the demo's three people in it.

    A second call clears away what earlier cells have left, and empties the database.
    """
    is_first = not hasattr(prepare, "folder")
    if is_first:
        prepare.folder = tempfile.TemporaryDirectory(prefix="classroom-")
        os.environ["DATA_DIR"] = prepare.folder.name
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.local"
    import django

    django.setup()
    from django.core.management import call_command

    from demo.people import settle

    remember_loggers() if is_first else await clear_away()
    await sync_to_async(call_command)("migrate", verbosity=0)
    if not is_first:
        await sync_to_async(empty)()
    await sync_to_async(settle)()
    await sync_to_async(begin_streams)()


def empty() -> None:
    from django.core.cache import cache
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)
    cache.clear()


def begin_streams() -> None:
    """Begin the demo's streams, and give every entry one tag, which is random elsewhere."""
    from api.topics import organization_topic, user_topic
    from demo.people import ORG_ID
    from devrealm.accounts import PEOPLE
    from realtime.delivery import outbox
    from realtime.models import Stream

    names = [user_topic.stream(person.subject) for person in PEOPLE.values()]
    names.append(organization_topic.stream(ORG_ID))
    Stream.objects.bulk_create(Stream(name=name, tag="course") for name in names)
    outbox.new_tag = lambda: "course"


def token(username: str, **claims) -> str:
    """Return an access token for alice, bob or mallory, as Keycloak would write it."""
    from devrealm.issue import access_token

    return access_token(username, exp=COURSE_ENDS, **claims)
