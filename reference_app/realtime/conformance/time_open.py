"""What happens to a socket that stays open: nothing for a time, and a restart of its server."""

import asyncio
import sys

from websockets.exceptions import ConnectionClosed

from ..protocol.close_codes import CloseCode
from .client import PATIENCE
from .deployment import Deployment
from .registry import check
from .results import FailedError, NotCheckedError
from .streams import position_in, resumes

# Seconds for the operator to restart the server, and for the server to be back.
RESTART, BACK = 120, 60


@check(
    "raise the idle timeout of the proxy above 20 s, or give the hosts of the channel layer a "
    "socket_timeout of 15"
)
async def idle(deployment: Deployment) -> None:
    """An idle socket stays open, and answers a protocol ping."""
    seconds = deployment.options.idle
    expected = f"the socket to stay open for {seconds:g} s"
    async with deployment.greeted() as client:
        try:
            await asyncio.wait_for(client.connection.wait_closed(), seconds)
        except TimeoutError:
            pass
        try:
            await asyncio.wait_for(await client.connection.ping(), PATIENCE)
        except TimeoutError:
            raise FailedError("a pong of the protocol", "none came") from None
        except ConnectionClosed:
            raise FailedError(expected, f"it closed with {client.close_code}") from None


@check("run realtime.server, and keep more than one behind the proxy or restart it quickly")
async def restart(deployment: Deployment) -> None:
    """A client of a server that restarts reads 1012, comes back and resumes."""
    if not deployment.options.drain:
        raise NotCheckedError("It needs you to restart the server: give --drain.")
    async with deployment.greeted() as client:
        position = position_in(client.greeting)
        print("Restart the server now.", file=sys.stderr, flush=True)
        await client.ends_with(CloseCode.RESTART, RESTART)
    await comes_back(deployment)
    await resumes(deployment, position, recovered=True)


async def comes_back(deployment: Deployment) -> None:
    """Try to open a socket every second."""
    end = asyncio.get_running_loop().time() + BACK
    while True:
        try:
            async with deployment.greeted():
                return
        except (FailedError, OSError):
            if asyncio.get_running_loop().time() > end:
                raise
        await asyncio.sleep(1)
