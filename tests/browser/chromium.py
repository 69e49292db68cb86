"""The machine's Chromium, which Playwright drives."""

import contextlib
import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.asynccontextmanager
async def started():
    """Start a Chromium, and close it in the end."""
    from playwright.async_api import async_playwright

    async with async_playwright() as engine:
        chromium = await engine.chromium.launch(
            executable_path=CHROMIUM,
            # CI runs as root, where Chromium has no sandbox; and it must not call home.
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield chromium
        await chromium.close()
