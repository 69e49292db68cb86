"""One WebSocket client of the mixed load."""

import asyncio
import json

from tests.laboratory.light_client import CLOSE, LightClient, handshake, masked, text_frame

# Seconds that a client waits for what has to come, on a machine that does much else.
PATIENCE = 60


class Guest:
    """Comes, hears and says something, and leaves, with a close frame or without a word."""

    def __init__(self, port: int, path: str, token: str):
        self.port, self.request = port, handshake(path, token)
        self.client: LightClient | None = None
        # None stands for the end of the connection.
        self.frames: asyncio.Queue[dict | None] = asyncio.Queue()

    @property
    def is_open(self) -> bool:
        return self.client is not None and not self.client.closed.done()

    async def come(self) -> dict | None:
        """Connect, and return the first frame, or None where there is none."""
        loop = asyncio.get_running_loop()
        try:
            _, self.client = await loop.create_connection(
                lambda: LightClient(self.request, self._take), "127.0.0.1", self.port
            )
        except OSError:
            return None
        self.client.closed.add_done_callback(lambda _: self.frames.put_nowait(None))
        return await self.hear()

    async def hear(self) -> dict | None:
        """Return the next frame."""
        async with asyncio.timeout(PATIENCE):
            return await self.frames.get()

    async def answer(self, kind: str) -> dict | None:
        """Return the next frame of that type."""
        while (frame := await self.hear()) and frame["type"] != kind:
            pass
        return frame

    def say(self, message: dict | str) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        self.send(text_frame(text.encode()))

    def send(self, data: bytes) -> None:
        if self.client and not self.client.transport.is_closing():
            self.client.transport.write(data)

    def stop_reading(self) -> None:
        if self.is_open:
            self.client.transport.pause_reading()

    async def leave(self) -> int:
        """Close, and return the code that the server answers."""
        self.send(masked(CLOSE, (1000).to_bytes(2, "big")))
        return await self.ended()

    async def ended(self) -> int:
        """Wait until the server has closed, and return the code."""
        if self.client is None:
            return 0
        async with asyncio.timeout(PATIENCE):
            return await self.client.closed

    def vanish(self) -> None:
        """Be gone without a word."""
        if self.client:
            self.client.transport.abort()

    def _take(self, text: bytes) -> None:
        self.frames.put_nowait(json.loads(text))
