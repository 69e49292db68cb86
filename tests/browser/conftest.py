import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
async def browser():
    reason = "needs Playwright: pip install -e '.[browser]'"
    playwright = pytest.importorskip("playwright.async_api", reason=reason)
    if CHROMIUM is None:
        pytest.skip("needs Chromium: Debian calls it chromium")
    async with playwright.async_playwright() as engine:
        chromium = await engine.chromium.launch(
            executable_path=CHROMIUM,
            # CI runs as root, where Chromium has no sandbox; and it must not call home.
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(browser, server):
    """A page that the server itself delivered."""
    page = await browser.new_page()
    await page.goto(f"{server.http}/api/me/")
    return page
