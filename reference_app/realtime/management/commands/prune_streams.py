from datetime import timedelta

from django.core.management.base import BaseCommand

from ...conf import conf
from ...delivery.streams import prune


class Command(BaseCommand):
    help = "Deletes the beginning of every stream, which no client may resume from."

    def handle(self, **options):
        age = timedelta(days=conf.HISTORY_DAYS)
        deleted = prune(keep=conf.HISTORY_FRAMES, age=age)
        self.stdout.write(f"Deleted {deleted} entries.")
