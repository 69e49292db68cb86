"""An application whose database takes 20 ms to say who is a member; APPLICATION names it."""

import os
import time

from django.db.backends.signals import connection_created
from django.utils.module_loading import import_string

SECONDS = 0.02

# What is printed for each query, so that they can be counted.
ASKED = "The database is asked for members."


def slow_down(connection, **signal):
    if answer_late not in connection.execute_wrappers:  # they outlive a reconnection
        connection.execute_wrappers.append(answer_late)


def answer_late(execute, sql, parameters, many, context):
    if "api_membership" in sql:
        print(ASKED, flush=True)
        time.sleep(SECONDS)
    return execute(sql, parameters, many, context)


# Tests import this module for the words above, and serve nothing.
if "APPLICATION" in os.environ:
    connection_created.connect(slow_down)
    application = import_string(os.environ["APPLICATION"].replace(":", "."))
