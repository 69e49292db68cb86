"""Two consumers that tell on stdout how their server treats them; the path says which."""

import config.asgi  # noqa: F401  isort: skip  (sets Django up for the next imports)

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from django.urls import path

# Of 64 KiB each: 25 MiB in all, and the kernel takes about five for a client that does not read.
MESSAGES = 400


class LeavingConsumer(AsyncWebsocketConsumer):
    async def disconnect(self, code):
        print(f"disconnect({code})", flush=True)


class PouringConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        for number in range(1, MESSAGES + 1):
            await self.send(bytes_data=bytes(65_536))
            print(number, flush=True)


application = URLRouter(
    [
        path("leaving/", LeavingConsumer.as_asgi()),
        path("pouring/", PouringConsumer.as_asgi()),
    ]
)
