"""What Chromium sees of every way to refuse, for notebook 05."""

from urllib.parse import quote

from tests.record import NOTEBOOKS
from tests.wire.servers import COMMANDS, serving

SERVERS = ["daphne", "uvicorn"]  # those that notebook 05 compares
SETTINGS = "config.settings.local"

# Seconds after which a socket that is still there counts as open; more than a plain client is given
# in the notebook, for a page shares a busy machine with its browser.
OPEN_AFTER = 10

# Opens a socket as a page does, says one word, and returns what the page saw of it.
OPEN = """([url, offered, openAfter]) => new Promise(done => {
  const frames = [];
  const socket = new WebSocket(url, offered);
  socket.onopen = () => {
    socket.send('hello');
    setTimeout(() => done([frames, null, '']), openAfter * 1000);
  };
  socket.onmessage = event => frames.push(event.data);
  socket.onclose = event => done([frames, event.code, event.reason]);
})"""


async def page_sees(page, server, way):
    from classroom.refusals import SUBPROTOCOLS
    from classroom.witnesses import told

    url = server.ws + quote(f"/{way}")
    return told(*await page.evaluate(OPEN, [url, SUBPROTOCOLS.get(way, []), OPEN_AFTER]))


async def measured(chromium, name: str) -> dict[str, str]:
    """Return what a page sees of every way on the server of that name."""
    from classroom.witnesses import seen_of_every_way

    command = [*COMMANDS[name], "classroom.refusals:application"]
    environment = {"PYTHONPATH": str(NOTEBOOKS), "DJANGO_SETTINGS_MODULE": SETTINGS}
    with serving(command, **environment) as server:
        page = await chromium.new_page()
        try:
            return await seen_of_every_way(page_sees, page, server)
        finally:
            await page.close()
