import pytest

from tests.browser.chromium import CHROMIUM, started


@pytest.fixture
async def browser():
    reason = "needs Playwright: pip install -e '.[browser]'"
    pytest.importorskip("playwright.async_api", reason=reason)
    if CHROMIUM is None:
        pytest.skip("needs Chromium: Debian calls it chromium")
    async with started() as chromium:
        yield chromium


@pytest.fixture
async def page(browser, server):
    """A page that the server itself delivered."""
    page = await browser.new_page()
    await page.goto(f"{server.http}/api/me/")
    return page
