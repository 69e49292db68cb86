"""What one user's page does on the network and says of it, noted inside the page from its start."""

import json

from tests.wire.servers import PATIENCE

# Draws every random number, so that a wait is the shortest or the longest of its window.
LUCK = {"least": 0.0, "most": 0.999_999}

# Notes Alice's sockets, each frame and each close of her notifications', her requests for a token,
# and each text that a status line of hers has shown. What is random or secret is left out.
WIRETAP = """{
  const wire = window.wire = {sockets: [], tokens: 0, said: {}, notes: []};
  const note = (...arrow) => wire.notes.push(arrow);
  // The page asks for its read mark, and the answer comes when it comes.
  const noteFrame = (from, to, frame) =>
    frame.type === "notifications.read" || note(from, to, told(frame));

  // A token is base64url, which `atob` does not take.
  const userOf = token =>
    JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).preferred_username;
  const tokenOf = (url, [, bearer = ""] = []) =>
    new URL(url).searchParams.get("token") ?? bearer.slice("bearer.".length);
  const told = ({type, offset, notification, recovered}) => [
    type,
    notification && `“${notification.title}”`,
    offset !== undefined && `at ${offset}`,
    recovered && "recovered",
  ].filter(Boolean).join(" ");

  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      const token = tokenOf(url, protocols);
      if (userOf(token) !== "alice") return;
      wire.token = token;
      const {pathname, search} = new URL(url);
      const call = {socket: this, path: pathname, code: null, told: null};
      wire.sockets.push(call);
      this.addEventListener("message", ({data}) => {
        const {type, code} = JSON.parse(data);
        if (type === "connection.closing") call.told = code;
      });
      this.addEventListener("close", ({code}) => (call.code = code));
      if (pathname !== "/ws/notifications/") return;
      this.addEventListener("open", () => {
        const query = search.replace(/(token|position)=[^&]+/g, "$1=…");
        const offer = protocols ? ` ${protocols[0]}, bearer.…` : "";
        note("page", "server", `connect ${pathname}${query}${offer}`);
        note("server", "page", `accept ${this.protocol}`.trim());
        this.addEventListener("close", ({code}) => note("server", "page", `close ${code}`));
      });
      this.addEventListener("message", ({data}) => noteFrame("server", "page", JSON.parse(data)));
      this.isNoted = true;
    }

    send(text) {
      if (this.isNoted && text.startsWith("{")) noteFrame("page", "server", JSON.parse(text));
      super.send(text);
    }
  };

  const {fetch} = window;
  window.fetch = async (url, options) => {
    const form = options.body;
    if (!(form instanceof URLSearchParams && form.get("username") === "alice")) {
      return fetch(url, options);
    }
    wire.tokens += 1;
    note("page", "issuer", `POST token`);
    const answer = await fetch(url, options);
    note("issuer", "page", `a token for ${(await answer.clone().json()).expires_in} s`);
    return answer;
  };

  new MutationObserver(() => {
    for (const line of document.querySelectorAll('[aria-label="Alice"] .status')) {
      const [head, ...rest] = [...line.children].map(part => part.textContent).filter(Boolean);
      const [socket, words] = head.split(": ", 2);
      const said = wire.said[socket] ??= [], text = [words, ...rest].join(" ");
      if (said.at(-1) !== text) said.push(text);
    }
  }).observe(document, {childList: true, characterData: true, subtree: true});
}"""

PATHS = {"Notifications": "/ws/notifications/", "Organization": "/ws/events/"}


class Wiretap:
    """Reads what was noted in a page, about one of Alice's two sockets."""

    def __init__(self, page, socket: str):
        self.page, self.socket, self.path = page, socket, PATHS[socket]

    async def said(self) -> list[str]:
        """Return what the status line has shown, oldest first."""
        return await self.page.evaluate("socket => wire.said[socket] ?? []", self.socket)

    async def tokens(self) -> int:
        return await self.page.evaluate("() => wire.tokens")

    async def codes(self) -> list[int | None]:
        """Return how each socket ended that was opened so far; None is still there.

        By its last frame where there was one, as the page's client reads it.
        """
        return [code and (told or code) for code, told in await self.ends()]

    async def ends(self) -> list[list[int | None]]:
        """Return the code of each close so far, and that of the last frame before it."""
        script = """path => wire.sockets.filter(s => s.path.startsWith(path))
          .map(s => [s.code, s.told])"""
        return await self.page.evaluate(script, self.path)

    async def notes(self) -> list[list[str]]:
        """Return the arrows of a diagram: from whom, to whom, and what."""
        return await self.page.evaluate("() => wire.notes")

    async def hears(self, frame_type: str) -> None:
        """Wait until the page was sent a frame of this type."""
        script = "type => wire.notes.some(([, to, what]) => to === 'page' && what.startsWith(type))"
        await self.page.wait_for_function(script, arg=frame_type, timeout=PATIENCE * 1_000)

    async def send(self, text: str, times: int = 1) -> None:
        """Send something through the page's own open socket, behind the back of its client."""
        script = """([path, text, times]) => {
          const {socket} = wire.sockets.findLast(s => s.path.startsWith(path));
          for (let sent = 0; sent < times; sent++) socket.send(text);
        }"""
        await self.page.evaluate(script, [self.path, text, times])


def script(luck: str) -> str:
    """Return what a page has to run first."""
    return f"Math.random = () => {json.dumps(LUCK[luck])};\n{WIRETAP}"
