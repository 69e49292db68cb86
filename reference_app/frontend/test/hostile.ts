import { FakeWebSocket } from "./fakeWebSocket";
import { at } from "./server";

/** A server that does one thing wrong; `visit` counts the sockets of a client from 1. */
export type Hostile = (peer: Peer, visit: number) => void;

/** The server's end of a socket that is there already. */
export class Peer {
  constructor(readonly socket: FakeWebSocket) {
    socket.answer = (text) => this.pong(text);
  }

  send(...frames: unknown[]): void {
    for (const frame of frames) this.socket.receive(frame);
  }

  greet(more: object = {}): void {
    const expires_at = "2030-01-01T00:00:00Z";
    const user = { message: "Connected.", user_id: "alice", expires_at };
    this.send({ type: "connection.established", ...user, ...at(0), recovered: null, ...more });
  }

  entry(offset: number, more: object = {}): void {
    const notification = { title: `n${offset}`, body: "" };
    this.send({ type: "notification", notification, ...at(offset), ...more });
  }

  entries(...offsets: number[]): void {
    for (const offset of offsets) this.entry(offset);
  }

  /** Say that the server closes, and close. */
  refuse(more: { code: unknown; [key: string]: unknown }, code = 1011): void {
    const closing = { reason: "A reason.", reconnect: true, retry_after_ms: null };
    this.send({ type: "connection.closing", ...closing, ...more });
    this.socket.fail(typeof more.code === "number" ? more.code : code);
  }

  private pong(text: string): void {
    const { type, timestamp } = JSON.parse(text);
    if (type === "ping") this.send({ type: "pong", timestamp });
  }
}

const times = <Value>(count: number, make: (index: number) => Value) =>
  Array.from({ length: count }, (_, index) => make(index));

const closing =
  (more: object): Hostile =>
  (peer) => {
    peer.greet();
    peer.refuse({ code: 1011, ...more });
  };

/** One server for the first socket, and another one for those after it. */
const thenAgain =
  (again: Hostile): Hostile =>
  (peer, visit) => {
    if (visit > 1) return again(peer, visit);
    peer.greet();
    peer.entries(1, 2, 3);
    setTimeout(() => peer.socket.fail(), 200);
  };

const silent = (peer: Peer) => {
  peer.socket.answer = () => {};
};

const expiring = { type: "token.expiring", expires_at: "2030-01-01T00:00:00Z" };
const refused = { type: "error", code: "token_refused", message: "No." };

/** What servers do wrong, by name. */
export const HOSTILE: Record<string, Hostile> = {
  "says nothing, and takes no ping": silent,
  "says nothing, and answers pings": () => {},
  "greets after 8 s": (peer) => void setTimeout(() => peer.greet(), 8_000),
  "greets and falls silent": (peer) => {
    silent(peer);
    peer.greet();
  },
  "greets and drops": (peer) => {
    peer.greet();
    peer.socket.fail();
  },
  "says that it restarts, and does not close": (peer) => {
    peer.greet();
    peer.send({
      type: "connection.closing",
      code: 1012,
      reason: "The server restarts.",
      reconnect: true,
      retry_after_ms: 100,
    });
  },
  "says that the user may not listen, and does not close": (peer) => {
    peer.greet();
    peer.send({ type: "connection.closing", code: 4003, reason: "No.", reconnect: false });
  },
  ...Object.fromEntries(
    [-60_000, 1e12, 2 ** 31, 25 * 86_400_000, "soon", "3000", {}, [], true, 0.5].map((wait) => [
      `names a wait of ${JSON.stringify(wait)} ms`,
      closing({ retry_after_ms: wait }),
    ]),
  ),
  "names an infinite wait": (peer) => {
    peer.greet();
    peer.send(
      '{"type":"connection.closing","code":1011,"reason":"x","reconnect":true,"retry_after_ms":1e999}',
    );
    peer.socket.fail(1011);
  },
  "names a wait of minus a minute for a restart": closing({ code: 1012, retry_after_ms: -60_000 }),
  "names a wait of 300 years for a restart": closing({ code: 1012, retry_after_ms: 1e13 }),
  "spells its last frame wrongly": (peer) => {
    peer.greet();
    peer.send('{"type":"connection.closing","retry_after_ms":NaN}');
    peer.socket.fail(1011);
  },
  "closes with a code that is a text": closing({ code: "4003", reconnect: undefined }),
  "closes without a code": (peer) => {
    peer.greet();
    peer.send({ type: "connection.closing" });
    peer.socket.fail(4003);
  },
  "says whether to come back in a text": closing({ code: 4003, reconnect: "false" }),
  "gives an object for a reason": closing({ code: 4003, reconnect: false, reason: { a: 1 } }),
  "refuses each token": (peer) => peer.refuse({ code: 4001, retry_after_ms: 0 }),
  "greets, and refuses each token": closing({ code: 4001, retry_after_ms: 0 }),
  "sends garbage": (peer) => {
    peer.greet();
    peer.send("", "null", "[]", "{}", "1", '"x"', "}{", '{"type":5}', '{"type":null}');
    peer.send('{"type":"__proto__"}', '{"type":"constructor"}', '{"type":"toString"}');
    peer.send("\u0000", "[".repeat(100_000));
    peer.entry(1);
  },
  "sends an entry of nothing": (peer) => {
    peer.greet();
    peer.send({ type: "notification" });
  },
  "sends garbage without end": (peer) => {
    peer.greet();
    peer.send(...times(2_000, () => "}{"));
    peer.entry(1);
  },
  "sends out of order": (peer) => {
    peer.greet();
    peer.entries(1, 3, 2, 4);
  },
  "sends each twice": (peer) => {
    peer.greet();
    peer.entries(1, 1, 2, 2, 1, 3);
  },
  "leaves out three": (peer) => {
    peer.greet();
    peer.entries(1, 5);
  },
  ...Object.fromEntries(
    [undefined, null, "7", 1.5, -1, {}].map((offset) => [
      `sends an entry at ${JSON.stringify(offset)}`,
      (peer: Peer) => {
        peer.greet();
        peer.entry(1, { offset });
        peer.entries(1, 2);
      },
    ]),
  ),
  "sends an entry without a position": (peer) => {
    peer.greet();
    peer.entry(1, { position: undefined });
  },
  "counts beyond what a number can tell apart": (peer) => {
    peer.greet({ offset: 2 ** 53 - 2 });
    peer.entries(2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2);
  },
  "greets with nothing": (peer) => {
    peer.send({ type: "connection.established" });
    peer.entries(1, 2, 3);
  },
  ...Object.fromEntries(
    [
      { offset: "9" },
      { position: 9 },
      { recovered: "true" },
      { user_id: null },
      { user_id: "" },
    ].map((part) => [
      `greets with ${JSON.stringify(part)}`,
      (peer: Peer) => {
        peer.greet(part);
        peer.entries(1, 2);
      },
    ]),
  ),
  "greets twice": (peer) => {
    peer.greet();
    peer.entries(1, 2);
    peer.greet();
    peer.entries(1, 2, 3);
  },
  "sends an entry before it greets": (peer) => {
    peer.entry(1);
    peer.greet();
    peer.entry(2);
  },
  "has another history": thenAgain((peer) => {
    peer.greet({ ...at(0, "second"), recovered: false });
    [1, 2].forEach((offset) => peer.entry(offset, at(offset, "second")));
  }),
  "has another history, and says that it recovered": thenAgain((peer) => {
    peer.greet({ ...at(0, "second"), recovered: true });
    [1, 2].forEach((offset) => peer.entry(offset, at(offset, "second")));
  }),
  "goes on further ahead, and says that it recovered": thenAgain((peer) => {
    peer.greet({ ...at(8), recovered: true });
    peer.entries(9, 10);
  }),
  "goes on further ahead, and says nothing of it": thenAgain((peer) => {
    peer.greet({ ...at(8), recovered: null });
    peer.entries(9, 10);
  }),
  "greets somebody else each time": (peer, visit) => {
    peer.greet({ user_id: `user-${visit}` });
    peer.entries(1);
  },
  "sends 10,000 at once": (peer) => {
    peer.greet();
    peer.entries(...times(10_000, (index) => index + 1));
  },
  "says 500 times that the token expires": (peer) => {
    peer.greet();
    peer.send(...times(500, () => expiring));
  },
  "lets each token expire at once": (peer) => {
    peer.socket.answer = (text) => {
      if (JSON.parse(text).type !== "token.refresh") return;
      peer.send({ type: "token.refreshed", expires_at: "x" }, expiring);
    };
    peer.greet();
    peer.send(expiring);
  },
  "refuses a token 500 times": (peer) => {
    peer.greet();
    peer.send(expiring, ...times(500, () => refused));
  },
  "refuses each token that it asked for": (peer) => {
    peer.socket.answer = (text) => {
      if (JSON.parse(text).type === "token.refresh") peer.send(refused);
    };
    peer.greet();
    peer.send(expiring);
  },
  "complains 5,000 times": (peer) => {
    peer.greet();
    peer.send(...times(5_000, () => ({ type: "error", code: "malformed", message: "No." })));
  },
  "answers 5,000 times what nobody asked": (peer) => {
    peer.greet();
    peer.send(...times(5_000, () => ({ type: "pong", timestamp: 1 })));
  },
  "tells 5,000 times how far the user has read": (peer) => {
    peer.greet();
    peer.send(...times(5_000, (offset) => ({ type: "notifications.read", offset, unread: 0 })));
  },
  "never answers how far the user has read, and refuses to say": (peer) => {
    peer.socket.answer = (text) => {
      const error = { type: "error", code: "unknown_type", message: "No." };
      if (JSON.parse(text).type === "notifications.read") peer.send(error);
    };
    peer.greet();
  },
  "has read up to nowhere": (peer) => {
    peer.greet();
    peer.send({ type: "notifications.read", offset: "7" });
  },
  "sends 20 MB": (peer) => {
    peer.greet();
    peer.entry(1, { notification: { title: "large", body: "x".repeat(20_000_000) } });
    peer.entry(2);
  },
  "sends after it closed": (peer) => {
    peer.greet();
    peer.entry(1);
    peer.socket.fail(1012);
    peer.entry(2);
  },
  ...Object.fromEntries(
    [
      1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
      1015, 3000, 3999, 4000, 4001, 4003, 4104, 4108, 4113, 4499, 4500, 4504, 4509, 4999,
    ].flatMap((code): [string, Hostile][] => [
      [`closes with ${code} before it greets`, (peer) => peer.socket.fail(code)],
      [
        `closes with ${code} after it greeted`,
        (peer) => {
          peer.greet();
          setTimeout(() => peer.socket.fail(code), 5);
        },
      ],
    ]),
  ),
};

/** What happens to a handshake in place of an answer, by name. */
export const HANDSHAKES: Record<string, (socket: FakeWebSocket) => void> = {
  "is refused, or drops": (socket) => socket.fail(),
  "is never answered": () => {},
};
