"""What a run does to the database by hand, in a process of its own.

    python -m tests.laboratory.keeper history.jsonl

It says `ready`, and obeys the lines on stdin, each with an answer:

    copy                    keep what is in the streams now
    restore                 take the streams back to that state, as a backup or a late replica does
    plant hall 2000000      add a row of so many bytes to a stream
    prune                   delete what is older than history is kept
    end 15 hall side        say where streams end, once nothing is pending or after so many seconds

What the database forgets, and what is planted, is written to the history.
"""

import io
import json
import re
import sys
import time

from tests.laboratory.audience import ORGANIZATIONS
from tests.laboratory.faulty_sender import say
from tests.laboratory.without_server import set_up

NUMBER = re.compile(r'"number": (\d+)')
PLACE = re.compile(r', "offset": \d+, "position": "[^"]+"}$')


class Keeper:
    """Copies streams, takes them back, and plants rows in them."""

    def __init__(self, history):
        self.history = history
        # The end of each stream, and what was pending.
        self.ends: dict[str, dict] = {}
        self.pending: list[dict] = []

    def note(self, did: str, **what) -> None:
        self.history.write(json.dumps({"did": did, **what}) + "\n")
        self.history.flush()

    def obey(self, order: str, *arguments: str) -> str:
        return getattr(self, order)(*arguments) or order

    def copy(self) -> None:
        from django.db import transaction

        from realtime.models import PendingEntry, Stream

        with transaction.atomic():
            streams = Stream.objects.select_for_update().order_by("name")
            ends = streams.values("name", "head", "tag", "previous")
            self.ends = {end["name"]: end for end in ends}
            self.pending = [*PendingEntry.objects.values()]

    def restore(self) -> None:
        """Take all streams back in one transaction, and note what is gone with that."""
        from django.db import transaction

        from realtime.models import Entry, PendingEntry, Stream, new_tag

        gone = []
        with transaction.atomic():
            streams = [*Stream.objects.select_for_update().order_by("name")]
            # Not what is added while this runs.
            pending = [*PendingEntry.objects.all()]
            gone += [(row.stream, None, row.frame) for row in pending]
            for stream in streams:
                end = self.ends.get(stream.name) or {"head": 0, "tag": new_tag(), "previous": ""}
                entries = Entry.objects.filter(stream=stream, offset__gt=end["head"])
                for offset, tag, frame in entries.values_list("offset", "tag", "frame"):
                    gone.append((stream.name, f"{offset}.{tag}", frame))
                entries.delete()
                Stream.objects.filter(id=stream.id).update(**end)
            PendingEntry.objects.filter(id__in=[row.id for row in pending]).delete()
            PendingEntry.objects.bulk_create([PendingEntry(**row) for row in self.pending])
        owed = {row["frame"] for row in self.pending}
        names = names_of_streams()
        for stream, position, frame in gone:
            if stream in names:
                number = None if frame_without_place(frame) in owed else number_in(frame)
                self.note("forgot", stream=names[stream], number=number, position=position)

    def prune(self) -> None:
        from django.core.management import call_command

        call_command("prune_streams", stdout=io.StringIO())

    def plant(self, name: str, size: str) -> None:
        at = time.time()
        self.note("planted", stream=name, position=plant(group(name), int(size)), at=at)

    def end(self, patience: str, *names: str) -> str:
        from realtime.models import PendingEntry, Stream

        groups = {group(name): name for name in names}
        pending = PendingEntry.objects.filter(stream__in=groups)
        until = time.monotonic() + float(patience)
        while pending.exists() and time.monotonic() < until:
            time.sleep(0.05)
        rows = Stream.objects.filter(name__in=groups).values_list("name", "head", "tag")
        return json.dumps({groups[name]: f"{head}.{tag}" for name, head, tag in rows})


def plant(stream: str, size: int) -> str:
    """Add a row of so many bytes to a stream, past every check; return its position."""
    from django.db import transaction

    from realtime.models import Entry, Stream, new_tag
    from realtime.protocol.frames import encode, placed, position

    with transaction.atomic():
        row = Stream.objects.select_for_update().get(name=stream)
        offset, tag = row.head + 1, new_tag()
        frame = placed(encode({"type": "notification", "padding": "x" * size}), offset, tag)
        Entry.objects.create(stream=row, offset=offset, tag=tag, previous=row.tag, frame=frame)
        row.head, row.tag, row.previous = offset, tag, row.tag
        row.save()
    return position(offset, tag)


def number_in(frame: str) -> int | None:
    """Return the publisher's number of a frame, None where it has none."""
    found = NUMBER.search(frame[-200:])
    return int(found[1]) if found else None


def frame_without_place(frame: str) -> str:
    """Return the text that was pending before it was placed."""
    return PLACE.sub("}", frame)


def group(stream: str) -> str:
    """Return the name of a stream in the database."""
    from api.topics import organization_topic, user_topic

    org_id = ORGANIZATIONS.get(stream)
    return organization_topic.stream(str(org_id)) if org_id else user_topic.stream(stream)


def names_of_streams() -> dict[str, str]:
    """Return what readers call streams, by their names in the database."""
    from realtime.models import Identity

    subjects = Identity.objects.filter(subject__startswith="reader-")
    known = [*ORGANIZATIONS, *subjects.values_list("subject", flat=True)]
    return {group(name): name for name in known}


def main(history_path: str) -> None:
    set_up()
    with open(history_path, "w") as history:
        keeper = Keeper(history)
        say("ready")
        for line in sys.stdin:
            say(keeper.obey(*line.split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
