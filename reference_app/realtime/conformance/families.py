"""All checks, in the order of the table."""

import asyncio
from collections.abc import AsyncIterator

from . import handshakes, limits, messages, streams, time_open, tokens
from .deployment import Deployment
from .options import Options
from .registry import checks_of
from .results import Result

CHECKS = checks_of([handshakes, tokens, messages, streams, limits, time_open])

# Seconds for all checks.
PATIENCE = 240


async def results(options: Options) -> AsyncIterator[Result]:
    """Run every check, one after the other. Raises UnreachableError where no socket opens."""
    deployment = Deployment(options)
    end = asyncio.get_running_loop().time() + PATIENCE + options.idle
    if options.drain:
        end += time_open.RESTART
    await deployment.find_way()
    for check in CHECKS:
        yield await check.result(deployment, end)
