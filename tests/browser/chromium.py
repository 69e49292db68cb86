"""The machine's Chromium, which Playwright drives."""

import contextlib
import shutil

import pytest_asyncio

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# One Chromium serves all browser tests of a worker: to start it and its driver takes 2 s of CPU. It
# belongs to one event loop, so these tests and their fixtures run on that.
LOOP = "session"
fixture = pytest_asyncio.fixture(loop_scope=LOOP)


@contextlib.asynccontextmanager
async def started(*more: str):
    """Start a Chromium, with more arguments, and close it in the end."""
    from playwright.async_api import async_playwright

    async with async_playwright() as engine:
        chromium = await engine.chromium.launch(
            executable_path=CHROMIUM,
            # CI runs as root, where Chromium has no sandbox; and it must not call home.
            args=["--no-sandbox", "--disable-background-networking", *more],
        )
        yield chromium
        await chromium.close()
