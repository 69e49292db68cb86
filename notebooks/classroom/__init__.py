"""The course's few tools: people, real servers and a client, a recorder, and what is displayed.

They teach nothing themselves, and hide nothing that is taught: the servers are Daphne and uvicorn,
the client is `websockets`, and the recorder is ASGI middleware of a few lines.
"""

from .client_trial import try_client
from .display import bars, frame, show, table
from .people import COURSE_ENDS, prepare, token
from .recorded import PROJECT, recorded
from .recording import Diagram, Note, Recorder
from .servers import PATIENCE, Client, Redis, launch, run, run_demo, serve, serve_on_uvicorn

__all__ = [
    "COURSE_ENDS",
    "PATIENCE",
    "PROJECT",
    "Client",
    "Diagram",
    "Note",
    "Recorder",
    "Redis",
    "bars",
    "frame",
    "launch",
    "prepare",
    "recorded",
    "run",
    "run_demo",
    "serve",
    "serve_on_uvicorn",
    "show",
    "table",
    "token",
    "try_client",
]
