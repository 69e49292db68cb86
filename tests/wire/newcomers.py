"""Clients that stay, and clients that come in all the time, while servers restart.

    python -m tests.wire.newcomers ORIGIN CERTIFICATE TOKEN_OF_ONE TOKEN_OF_ANOTHER

They reach the site at 127.0.0.1, with their token in the query. It prints "ready" when those that
stay are in, and goes on until its input ends. Then it prints as JSON what they have seen.
"""

import asyncio
import json
import ssl
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

STAYING = 20
NEWCOMERS_A_SECOND = 10
RESTART = 1012
# Seconds after which a newcomer counts as hanging.
HANGING = 20


class Site:
    """The site as its clients reach it."""

    def __init__(self, origin: str, certificate: str):
        parts = urlsplit(origin)
        self.host, self.port = parts.hostname, parts.port or 443
        self.trust = ssl.create_default_context(cafile=certificate)

    def socket(self, token: str, position: str = ""):
        return connect(
            f"wss://{self.host}:{self.port}/ws/notifications/?token={token}&position={position}",
            host="127.0.0.1",
            port=self.port,
            ssl=self.trust,
            proxy=None,
            compression=None,
            open_timeout=HANGING,
        )

    def requests(self, token: str) -> httpx.AsyncClient:
        headers = {"Host": f"{self.host}:{self.port}", "Authorization": f"Bearer {token}"}
        base = f"https://127.0.0.1:{self.port}"
        return httpx.AsyncClient(base_url=base, verify=self.trust, headers=headers, timeout=HANGING)


class Staying:
    """A client that resumes wherever its socket ends."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.offsets: list[int] = []
        self.recovered: list[bool | None] = []
        self.position = ""
        self.is_in = asyncio.Event()

    async def stay(self, site: Site, token: str) -> None:
        while True:
            async with site.socket(token, self.position) as socket:
                try:
                    async for frame in socket:
                        self.take(json.loads(frame))
                except ConnectionClosed:
                    pass
                self.codes.append(socket.close_code)

    def take(self, frame: dict) -> None:
        self.position = frame["position"] or self.position
        if frame["type"] == "connection.established":
            self.recovered.append(frame["recovered"])
            self.is_in.set()
        else:
            self.offsets.append(frame["offset"])


async def come_in(site: Site, token: str) -> tuple[str, float]:
    """Come in as somebody new, and return what came of it and the seconds that it took.

    A server that begins to drain during the handshake says 1012, and the client comes back.
    """
    began = time.monotonic()
    try:
        frame = await first_frame(site, token)
    except ConnectionClosed as closed:
        if closed.rcvd is None or closed.rcvd.code != RESTART:
            return repr(closed), time.monotonic() - began
        frame = await first_frame(site, token)
    except Exception as error:
        return repr(error), time.monotonic() - began
    return frame["type"], time.monotonic() - began


async def first_frame(site: Site, token: str) -> dict:
    async with site.socket(token) as socket:
        return json.loads(await asyncio.wait_for(socket.recv(), HANGING))


async def main(origin: str, certificate: str, one: str, another: str) -> None:
    site = Site(origin, certificate)
    loop = asyncio.get_running_loop()
    async with site.requests(one) as http:
        await send(http, 0)
        clients = [Staying() for _ in range(STAYING)]
        staying = [asyncio.create_task(client.stay(site, one)) for client in clients]
        await asyncio.gather(*(client.is_in.wait() for client in clients))
        over = loop.run_in_executor(None, sys.stdin.read)
        print("ready", flush=True)
        coming, sent = [], 1
        while not over.done():
            coming.append(asyncio.create_task(come_in(site, another)))
            if len(coming) % 5 == 0:
                sent += await send(http, sent)
            await asyncio.sleep(1 / NEWCOMERS_A_SECOND)
        newcomers = await asyncio.gather(*coming)
        sent += await send(http, sent)
        await all_have(clients, staying, sent)
    for task in staying:
        task.cancel()
    await asyncio.gather(*staying, return_exceptions=True)
    print(json.dumps(report(clients, newcomers, sent)))


async def send(http: httpx.AsyncClient, number: int) -> int:
    answer = await http.post(
        "/api/me/notifications/",
        json={"title": str(number), "body": ""},
        extensions={"sni_hostname": "app.example.com"},
    )
    answer.raise_for_status()
    return 1


async def all_have(clients: list[Staying], staying: list[asyncio.Task], sent: int) -> None:
    """Wait until each client has the last notification, or has failed."""
    async with asyncio.timeout(HANGING):
        while any(client.offsets[-1:] != [sent] for client in clients):
            for task in staying:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)


def report(clients: list[Staying], newcomers: list[tuple[str, float]], sent: int) -> dict:
    outcomes, waits = zip(*newcomers, strict=True)
    return {
        "sent": sent,
        "codes": Counter(code for client in clients for code in client.codes),
        "closed": [len(client.codes) for client in clients],
        "recovered": [client.recovered[1:] for client in clients],
        "offsets": [client.offsets for client in clients],
        "newcomers": Counter(outcomes),
        "waits": sorted(waits),
    }


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
