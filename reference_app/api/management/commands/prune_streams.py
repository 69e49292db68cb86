from datetime import timedelta

from django.core.management.base import BaseCommand

from api.limits import limit
from api.streams import prune


class Command(BaseCommand):
    help = "Deletes the beginning of every stream, as far as no client may resume from it any more."

    def handle(self, **options):
        age = timedelta(days=limit("WEBSOCKET_HISTORY_DAYS"))
        deleted = prune(keep=limit("WEBSOCKET_HISTORY_FRAMES"), age=age)
        self.stdout.write(f"Deleted {deleted} entries.")
