"""One session of the guide's hook and one of the demo page, side by side, noted for notebook 12.

The same happens to both: the token is about to expire, a notification comes, and the server is
restarted while another is sent.
"""

import asyncio
import subprocess
from pathlib import Path

import pytest

from api.consumers import broadcast_notification
from api.models import Membership
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from tests.browser.demo_page import session, shows, url
from tests.browser.wiretap import Wiretap, script
from tests.project.frontend import FRONTEND

ALICE = PEOPLE["alice"].subject

HOOK = Path(__file__).with_name("guide_hook.jsx")

# For a browser, as the guide's readers would have it bundled.
BUNDLE = ["--bundle", "--loader=jsx", "--jsx=automatic"]
BUNDLE.append('--define:process.env.NODE_ENV="production"')

# Seconds that the first token of each lives: after half of it the server says that it expires, and
# ten seconds after it a socket closes that has no other.
LIFESPAN = 8


def bundled_hook(address: str) -> str:
    """Return the guide's page as the script that a browser takes."""
    esbuild = FRONTEND / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        pytest.skip("needs esbuild and React: npm ci in reference_app/frontend")
    source = HOOK.read_text().replace("localhost:8000", address)
    command = [esbuild, *BUNDLE]
    options = {"cwd": FRONTEND, "capture_output": True, "text": True, "check": True}
    return subprocess.run(command, input=source, **options).stdout


async def open_guide(browser, app) -> Wiretap:
    """Open a page whose script is the guide's, signed in as Alice as the guide has it."""
    page = await browser.new_page()
    hook = {"body": bundled_hook(f"127.0.0.1:{app.port}"), "content_type": "text/javascript"}
    token = access_token("alice", LIFESPAN)
    await page.add_init_script(f"localStorage.setItem('jwt_token', '{token}')")
    await page.add_init_script(script("least"))
    await page.route("**/demo.js", lambda route: route.fulfill(**hook))
    await page.goto(url(app))
    return Wiretap(page, "Notifications")


async def open_page(browser, app) -> Wiretap:
    page = await browser.new_page()

    async def shorten(route):
        await route.continue_(post_data=f"{route.request.post_data}&lifespan={LIFESPAN}")

    people = 2
    await page.route("**/openid-connect/token", shorten, times=people)
    await page.add_init_script(script("least"))
    await page.goto(url(app))
    return Wiretap(page, "Notifications")


async def two_sessions(browser, app) -> dict[str, dict]:
    """Return what went over the wire in each, and the titles that each has shown in the end."""
    # One socket a session: Alice's other one would tell of the same token at the same time.
    await Membership.objects.filter(user__token_identities__subject=ALICE).adelete()
    guide, page = await open_guide(browser, app), await open_page(browser, app)
    listed = session(page.page, "Alice").get_by_role("list", name="Notifications")
    await guide.hears("token.expiring")
    await page.hears("token.refreshed")
    await broadcast_notification(ALICE, {"title": "One"})
    await guide.hears("notification")
    await shows(listed, "One")
    await asyncio.to_thread(app.stop)
    await broadcast_notification(ALICE, {"title": "Two"})
    await asyncio.to_thread(app.start)
    await shows(listed, "Two")
    await broadcast_notification(ALICE, {"title": "Three"})
    await shows(listed, "Three")
    titles = {
        "guide": await guide.page.locator("h3").all_text_contents(),
        "page": (await listed.locator("strong").all_text_contents())[::-1],
    }
    taps = {"guide": guide, "page": page}
    return {name: {"notes": await tap.notes(), "shown": titles[name]} for name, tap in taps.items()}
