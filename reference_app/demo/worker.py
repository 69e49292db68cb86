"""Celery's worker in a thread, because only its own process can reach a broker in memory."""

import threading
from functools import cache

from celery.worker import WorkController

from config.celery import app


@cache
def start() -> threading.Thread:
    """Start the worker at the first call.

    Two first calls at once start two workers, which share the work.

    What was queued before is not lost: the worker finds it.
    """
    worker = WorkController(
        app=app, pool_cls="solo", without_heartbeat=True, without_mingle=True, without_gossip=True
    )
    thread = threading.Thread(target=worker.start, name="celery", daemon=True)
    thread.start()
    return thread
