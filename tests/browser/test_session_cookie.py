"""Pages that sign in by Django's login form, and the sockets that the cookie opens for them."""

import asyncio
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from api.consumers import broadcast_notification
from tests.browser.chromium import fixture
from tests.browser.demo_page import url
from tests.wire.servers import PATIENCE

PASSWORD = "correct horse battery staple"
ADMIN = "admin/"

# Opens the client that is shipped, and keeps what it says in `seen`.
OPEN = """() => {
  window.seen = [];
  return import("/static/realtime/realtime.js").then(({RealtimeClient}) => {
    const client = new RealtimeClient({url: "/ws/notifications/"});
    client.on("status", ({state, needsSignIn}) => seen.push(needsSignIn ? "sign in" : state));
    client.on("notification", ({notification}) => seen.push(notification.title));
    client.open();
  });
}"""

# Opens a socket without the client, and returns whether it opened.
OPENS = """url => new Promise(told => {
  const socket = new WebSocket(url);
  socket.onopen = () => told(true);
  socket.onerror = () => told(false);
})"""


def create_user():
    name = f"cookie user {uuid4()}"
    return get_user_model().objects.create_superuser(name, f"{uuid4()}@example.com", PASSWORD)


@pytest.fixture
def server(start_app):
    return start_app(application="tests.wire.variants.signs_in_by_session:application")


@fixture
async def signed_in(browser, server, layer):
    """A page of the admin, to which a new user has signed in by the form, and the user."""
    user = await sync_to_async(create_user)()
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(url(server) + ADMIN)
    await page.get_by_label("Username").fill(user.get_username())
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("button", name="Log out").wait_for()
    return page, user


async def sees(page, *words):
    """Wait until the client has said these words, in this order, at last."""
    wanted = f"() => {list(words)!r}.every((word, at, all) => seen.at(at - all.length) === word)"
    await page.wait_for_function(wanted, timeout=PATIENCE * 1_000)


async def other_tab(page, server, path=ADMIN):
    tab = await page.context.new_page()
    await tab.goto(url(server) + path)
    return tab


async def test_page_that_signs_in_opens_a_socket_until_another_tab_signs_out(signed_in, server):
    page, user = signed_in
    await page.evaluate(OPEN)
    await sees(page, "connecting", "open")
    await broadcast_notification(str(user.pk), {"title": "hello"})
    await sees(page, "open", "hello")
    tab = await other_tab(page, server)
    await tab.get_by_role("button", name="Log out").click()
    await sees(page, "sign in")


async def test_page_comes_back_after_its_user_has_changed_the_password(signed_in, server):
    page, user = signed_in
    await page.evaluate(OPEN)
    await sees(page, "connecting", "open")
    tab = await other_tab(page, server, f"{ADMIN}password_change/")
    for label, password in (("Old password", PASSWORD), ("New password", PASSWORD[::-1])):
        await tab.get_by_label(label, exact=False).first.fill(password)
    await tab.get_by_label("New password confirmation").fill(PASSWORD[::-1])
    await tab.get_by_role("button", name="Change my password").click()
    await sees(page, "waiting", "connecting", "open")
    await broadcast_notification(str(user.pk), {"title": "still here"})
    await sees(page, "still here")


async def test_page_of_another_port_has_the_cookie_and_is_refused(signed_in, server, start_app):
    """Ports share cookies, so that only the Origin tells the two pages apart."""
    page, _ = signed_in
    elsewhere = await asyncio.to_thread(start_app)
    socket = url(server).replace("http", "ws") + "ws/notifications/"
    tab = await other_tab(page, elsewhere, "api/me/")
    assert await page.evaluate(OPENS, socket)
    assert not await tab.evaluate(OPENS, socket)
    refused = f"Refused a WebSocket from origin '{url(elsewhere)[:-1]}'"
    await server.life.logs(refused)
