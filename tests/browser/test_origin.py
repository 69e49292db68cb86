"""Pages of somebody else: what opens a socket of the server, and what may show its page."""

import asyncio
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from classroom import token
from tests.browser.demo_page import SOCKETS, counts, session, shows, status, url
from tests.browser.network_log import Witness
from tests.project.frontend import CLIENT_BUNDLES

# Opens a client, and returns the first that it says after "connecting".
FIRST_STATUS = """async ([url, token]) => {
  const {RealtimeClient} = await import("/realtime.js");
  const client = new RealtimeClient({url, token: async () => token});
  const status = await new Promise(told => {
    client.on("status", status => status.state !== "connecting" && told(status));
    client.open();
  });
  client.close();
  return status;
}"""

SHOW_IN_A_FRAME = """source => {
  const frame = document.createElement("iframe");
  frame.src = source;
  document.body.append(frame);
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def start_site():
    """Return a function that serves the built client elsewhere, and a page that lists it."""
    sites = []

    def start_one():
        handler = partial(QuietHandler, directory=CLIENT_BUNDLES)
        sites.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=sites[-1].serve_forever).start()
        return f"http://127.0.0.1:{sites[-1].server_port}"

    yield start_one
    for site in sites:
        site.shutdown()
        site.server_close()


async def first_status(browser, site, app):
    page = await browser.new_page()
    await page.goto(site)
    socket = url(app).replace("http", "ws") + "ws/notifications/"
    return await page.evaluate(FIRST_STATUS, [socket, token("alice")])


@pytest.mark.parametrize("name", ["realtime.server", "daphne"])
async def test_page_from_elsewhere_connects_only_if_it_is_listed(
    browser, start_app, start_site, name
):
    listed, unlisted = start_site(), start_site()
    app = start_app(name, REALTIME_ALLOWED_ORIGINS=listed)
    assert await first_status(browser, listed, app) == {"state": "open"}
    refused = await first_status(browser, unlisted, app)
    assert (refused["state"], refused["code"]) == ("waiting", 1006)
    assert refused["sentence"] == "Could not connect."
    await asyncio.to_thread(app.stop)
    assert [unlisted in line for line in app.log if "origin" in line] == [True]


# Who may show the page in a frame: on a laptop JupyterLab does, from another port


async def test_page_in_a_frame_of_another_port_of_the_laptop_works(browser, shared_app, start_site):
    page = await browser.new_page()
    await page.goto(start_site())
    await page.evaluate(SHOW_IN_A_FRAME, url(shared_app))
    frame = page.frame_locator("iframe")
    for socket in SOCKETS:
        await shows(status(session(frame, "Alice"), socket), "Connected")


async def test_page_in_a_frame_of_another_host_is_not_shown(browser, shared_app, start_site):
    page = await browser.new_page()
    witness = Witness(page)
    # Chromium resolves whatever ends in localhost itself (RFC 6761, 6.3).
    await page.goto(start_site().replace("127.0.0.1", "elsewhere.localhost"))
    async with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        await page.evaluate(SHOW_IN_A_FRAME, url(shared_app))
    assert witness.urls[-1] == url(shared_app)
    await counts(page.frame_locator("iframe").get_by_role("region"), 0)
    assert witness.sockets == []
