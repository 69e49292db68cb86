"""What a page in Chromium reads of a socket: each refusal, each carrier, each server."""

from classroom import token
from demo.people import ORG_ID

# Opens a socket as a page does, and returns what the page saw of it.
OPEN = """([path, protocols]) => new Promise(done => {
  const seen = {frames: [], selected: null};
  const socket = new WebSocket(`ws://${location.host}${path}`, protocols);
  socket.onopen = () => seen.selected = socket.protocol;
  socket.onmessage = event => {
    seen.frames.push(JSON.parse(event.data));
    if (seen.frames[0].type === 'connection.established') socket.close(1000);
  };
  socket.onclose = event => done({...seen, code: event.code});
})"""

NOTIFICATIONS, EVENTS = "/ws/notifications/", f"/ws/events/{ORG_ID}/"


async def seen(page, path, *protocols):
    return await page.evaluate(OPEN, [path, list(protocols)])


def as_subprotocols(username):
    return "realtime.v1", f"bearer.{token(username)}"


async def test_page_without_a_token_reads_4001_and_why(page):
    closing = await seen(page, NOTIFICATIONS)
    assert closing["code"] == 4001
    assert [frame["type"] for frame in closing["frames"]] == ["connection.closing"]
    assert closing["frames"][0]["reason"] == "There is no access token."


async def test_strangers_page_reads_4003(page):
    closing = await seen(page, EVENTS, *as_subprotocols("mallory"))
    assert (closing["code"], closing["frames"][0]["code"]) == (4003, 4003)


async def test_members_page_connects_by_subprotocol_and_by_query(page):
    by_subprotocol = await seen(page, EVENTS, *as_subprotocols("alice"))
    by_query = await seen(page, f"{EVENTS}?token={token('alice')}")
    for opened in (by_subprotocol, by_query):
        assert opened["code"] == 1000
        assert opened["frames"][0]["type"] == "connection.established"
    assert (by_subprotocol["selected"], by_query["selected"]) == ("realtime.v1", "")


async def test_page_on_an_unknown_path_sees_1006_and_no_frame(page):
    refused = await seen(page, "/ws/chat/", *as_subprotocols("alice"))
    assert (refused["code"], refused["frames"]) == (1006, [])


async def test_page_from_another_origin_sees_1006(browser, server):
    page = await browser.new_page()
    await page.goto("data:text/html,elsewhere")
    script = OPEN.replace("${location.host}", server.address)
    refused = await page.evaluate(script, [NOTIFICATIONS, list(as_subprotocols("alice"))])
    assert (refused["code"], refused["frames"]) == (1006, [])
