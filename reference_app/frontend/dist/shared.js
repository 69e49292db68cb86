// src/realtime/backoff.ts
var Backoff = class {
  constructor(limits, random) {
    this.limits = limits;
    this.random = random;
  }
  limits;
  random;
  failures = 0;
  /** Count a failure and return how long to wait after it; the first window may be wider. */
  next(firstWindowMs = this.limits.baseMs) {
    const { baseMs, capMs } = this.limits;
    const windowMs = Math.min(capMs, baseMs * 2 ** this.failures);
    this.failures += 1;
    return this.jitter(Math.max(windowMs, firstWindowMs));
  }
  /** Return a random part of a window. */
  jitter(windowMs) {
    return this.random() * windowMs;
  }
  reset() {
    this.failures = 0;
  }
};

// src/realtime/closeCodes.ts
var CloseCode = {
  INTERNAL_ERROR: 1011,
  RESTART: 1012,
  UNAUTHORIZED: 4001,
  FORBIDDEN: 4003,
  UNAVAILABLE: 4104,
  TOO_SLOW: 4108,
  RATE_LIMITED: 4113,
  TOO_MANY_CONNECTIONS: 4504,
  TOO_MANY_ERRORS: 4509
};
var KNOWN_CODES = {
  1011: {
    name: "INTERNAL_ERROR",
    meaning: "a bug of ours",
    retryAfterMs: 1e3
  },
  1012: {
    name: "RESTART",
    meaning: "the server restarts",
    retryAfterMs: 5e3
  },
  4001: {
    name: "UNAUTHORIZED",
    meaning: "no valid token: none, bad, expired while open, user disabled or signed out",
    retryAfterMs: 0
  },
  4003: {
    name: "FORBIDDEN",
    meaning: "not a member, or no longer",
    retryAfterMs: null
  },
  4104: {
    name: "UNAVAILABLE",
    meaning: "our fault: Keycloak, database or Redis out of reach",
    retryAfterMs: 1e3
  },
  4108: {
    name: "TOO_SLOW",
    meaning: "the client reads or sends too slowly",
    retryAfterMs: 0
  },
  4113: {
    name: "RATE_LIMITED",
    meaning: "too many messages, or too much history",
    retryAfterMs: 1e4
  },
  4504: {
    name: "TOO_MANY_CONNECTIONS",
    meaning: "more sockets than one user may hold in this process",
    retryAfterMs: null
  },
  4509: {
    name: "TOO_MANY_ERRORS",
    meaning: "malformed message after malformed message",
    retryAfterMs: null
  }
};

// src/realtime/timer.ts
var LONGEST_MS = 3e5;
function duration(ms, usualMs, leastMs = 0) {
  const isTime = typeof ms === "number" && Number.isFinite(ms) && ms >= 0;
  return Math.min(Math.max(isTime ? ms : usualMs, leastMs), LONGEST_MS);
}
var Timer = class {
  id;
  get isSet() {
    return this.id !== void 0;
  }
  /** Call `run` once after a time, and whatever was to be called before no more. */
  set(ms, run) {
    this.clear();
    this.id = setTimeout(
      () => {
        this.id = void 0;
        run();
      },
      duration(ms, LONGEST_MS)
    );
  }
  clear() {
    clearTimeout(this.id);
    this.id = void 0;
  }
};

// src/realtime/closure.ts
var ABNORMAL = 1006;
var PROTOCOL_ERROR = 1002;
function closureOf(eventCode, frame, sentence = frame?.reason) {
  const code = Number.isInteger(frame?.code) ? frame.code : eventCode;
  const known = KNOWN_CODES[code];
  const waitMs = duration(frame?.retry_after_ms, known?.retryAfterMs ?? 0);
  const isRestart = code === CloseCode.RESTART;
  return {
    code,
    name: known?.name ?? NAMES[code] ?? "UNKNOWN",
    sentence: typeof sentence === "string" && sentence || known?.meaning || SENTENCES[code] || "The connection ended.",
    comesBack: typeof frame?.reconnect === "boolean" ? frame.reconnect : comesBackOn(code),
    // Of a restart the wait is a window: all clients lost their sockets at once.
    atLeastMs: isRestart ? 0 : waitMs,
    withinMs: isRestart ? waitMs : 0
  };
}
function comesBackOn(code) {
  const known = KNOWN_CODES[code];
  return known ? known.retryAfterMs !== null : code < 4500 || code > 4999;
}
var NAMES = {
  1e3: "NORMAL",
  [PROTOCOL_ERROR]: "PROTOCOL_ERROR",
  [ABNORMAL]: "ABNORMAL"
};
var SENTENCES = { [ABNORMAL]: "The connection was lost." };

// src/realtime/position.ts
function isPlace({ offset, position }) {
  return isOffset(offset) && typeof position === "string" && position !== "";
}
function isOffset(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
var REMEMBERED = 1e3;
var Position = class {
  constructor(since) {
    this.since = since;
  }
  since;
  place = null;
  seen = /* @__PURE__ */ new Set();
  /** Go on from where the server says. */
  begin({ offset, position }) {
    return this.place = { offset, position };
  }
  /** Return how many entries after the last one this one is: the next is 1, one seen below that. */
  stepsTo({ offset }) {
    return offset - (this.place?.offset ?? 0);
  }
  /** Move to the next entry; false for one that was here before. */
  advance(entry) {
    const { position } = this.begin(entry);
    if (this.seen.has(position)) return false;
    this.seen.add(position);
    if (this.seen.size > REMEMBERED) this.seen.delete(this.seen.values().next().value);
    return true;
  }
  /** Forget a stream, because another user's follows. */
  forget() {
    this.place = null;
    this.seen.clear();
  }
  /** Return the URL that asks the server to go on from here, or to begin where it should. */
  addedTo(url) {
    const from = this.place?.position ?? this.since;
    if (from === void 0) return url;
    const isHistory = from === "start" || typeof from === "number";
    const asking = new URL(url);
    asking.searchParams.set(isHistory ? "since" : "position", String(from));
    return asking.href;
  }
};
function socketUrl(address) {
  const url = new URL(address, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url.href;
}

// src/realtime/contract.ts
var ProtocolError = class extends Error {
  name = "ProtocolError";
};
function checkGreeting(frame) {
  const { recovered, user_id } = frame;
  if (!isPlace(frame)) throw new ProtocolError("The server greeted without an offset or position.");
  if (recovered !== null && typeof recovered !== "boolean") {
    throw new ProtocolError("The server greeted without saying whether it has recovered.");
  }
  if (typeof user_id !== "string" || !user_id) {
    throw new ProtocolError("The server greeted without a user.");
  }
}
function checkEntry(frame) {
  if (!isPlace(frame)) throw new ProtocolError("The server sent an entry without a place.");
}
function checkRead({ offset }) {
  if (!isOffset(offset)) throw new ProtocolError("The server sent a read mark without an offset.");
}

// src/realtime/frames.ts
function parseFrame(text) {
  try {
    const value = JSON.parse(text);
    return isFrame(value) ? value : null;
  } catch {
    return null;
  }
}
function isFrame(value) {
  return typeof value?.type === "string";
}

// src/realtime/heartbeat.ts
var LATE_MS = 5e3;
var Heartbeat = class {
  constructor(times, ping, die) {
    this.times = times;
    this.ping = ping;
    this.die = die;
  }
  times;
  ping;
  die;
  timer = new Timer();
  dueAt = 0;
  heardAt = 0;
  awaitsAnswer = false;
  wasLate = false;
  start() {
    this.heard();
    this.wakeAfter(this.times.intervalMs);
  }
  stop() {
    this.timer.clear();
  }
  /** Anything came; it sets no timer, because a burst would set thousands. */
  heard() {
    this.heardAt = Date.now();
    this.awaitsAnswer = this.wasLate = false;
  }
  /** Ask at once whether a running connection is alive, and wait for a short time only. */
  probe() {
    if (this.timer.isSet) this.ask(this.times.probeMs);
  }
  wake = () => {
    const { intervalMs, timeoutMs, probeMs } = this.times;
    this.heardAt = Math.min(this.heardAt, Date.now());
    const leftMs = this.heardAt + intervalMs - Date.now();
    if (Date.now() > this.dueAt + LATE_MS && !this.wasLate) {
      this.wasLate = true;
      this.ask(probeMs);
    } else if (this.awaitsAnswer) this.die();
    else if (leftMs > 0) this.wakeAfter(leftMs);
    else this.ask(timeoutMs);
  };
  ask(patienceMs) {
    this.awaitsAnswer = true;
    this.wakeAfter(patienceMs);
    this.ping();
  }
  wakeAfter(ms) {
    this.dueAt = Date.now() + ms;
    this.timer.set(ms, this.wake);
  }
};

// src/realtime/rate.ts
var Rate = class {
  constructor(atOnce, everyMs) {
    this.atOnce = atOnce;
    this.everyMs = everyMs;
  }
  atOnce;
  everyMs;
  allFreeAt = 0;
  /** Return how long to wait before it may be done again. */
  waitMs() {
    return Math.max(0, this.takenMs() - (this.atOnce - 1) * this.everyMs);
  }
  /** It is done now. */
  count() {
    this.allFreeAt = Date.now() + this.takenMs() + this.everyMs;
  }
  /** A clock that was set back must not make a client wait for hours. */
  takenMs() {
    return Math.min(Math.max(0, this.allFreeAt - Date.now()), this.atOnce * this.everyMs);
  }
};

// src/realtime/within.ts
async function within(ms, promise, sentence, timer = new Timer()) {
  const late = new Promise((_, reject) => {
    timer.set(ms, () => reject(new Error(sentence)));
  });
  return Promise.race([promise, late]).finally(() => timer.clear());
}

// src/realtime/token.ts
var SignInRequiredError = class extends Error {
  name = "SignInRequiredError";
};
function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
var FRESH_MS = 6e4;
var SUBPROTOCOL = /^[\w!#$%&'*+.^`|~-]+$/;
var Token = class {
  constructor(provider, timeoutMs) {
    this.provider = provider;
    this.timeoutMs = timeoutMs;
  }
  provider;
  timeoutMs;
  token = null;
  reason = "first";
  wasRejected = false;
  givenAt = 0;
  deadline = new Timer();
  /** Return the token in use, or ask for one; it is empty where a cookie says who the user is. */
  async get() {
    return this.token ?? this.renew(this.reason);
  }
  /** Ask for a new token, and use it from now on. */
  async renew(reason) {
    const token = this.provider ? await this.ask(this.provider(reason)) : "";
    [this.token, this.givenAt] = [token, Date.now()];
    return token;
  }
  /** Wait no longer for a token that was asked for. */
  stop() {
    this.deadline.clear();
  }
  async ask(answer) {
    this.stop();
    this.deadline = new Timer();
    const asked = Promise.resolve(answer);
    const token = await within(this.timeoutMs, asked, "The token took too long.", this.deadline);
    if (typeof token !== "string" || !SUBPROTOCOL.test(token)) throw new Error(noToken(token));
    return token;
  }
  /** Drop a token that the server refused; false if it was new, and the one before refused too. */
  reject() {
    const isAgain = this.wasRejected && Date.now() - this.givenAt < FRESH_MS;
    [this.token, this.reason, this.wasRejected] = [null, "rejected", !isAgain];
    return !isAgain;
  }
  /** Ask for another one next, as after a new sign-in. */
  forget() {
    [this.token, this.reason, this.wasRejected] = [null, "first", false];
  }
  /** The server let the token in, and the connection has stood. */
  accept() {
    this.wasRejected = false;
  }
};
function noToken(given) {
  const what = typeof given === "string" ? given ? "a text that is no token" : "an empty text" : String(given);
  return `The page's token provider gave ${what}.`;
}
function subprotocols(token) {
  return ["realtime.v1", ...token ? [`bearer.${token}`] : []];
}

// src/realtime/refresh.ts
var AT_ONCE = 2;
var EVERY_MS = 3e4;
var Refresh = class {
  constructor(token, send, failed) {
    this.token = token;
    this.send = send;
    this.failed = failed;
  }
  token;
  send;
  failed;
  triesLeft = 0;
  isAnswered = false;
  rate = new Rate(AT_ONCE, EVERY_MS);
  /** A new socket begins. */
  start() {
    this.isAnswered = false;
    this.triesLeft = 0;
  }
  /** The server said that the token expires soon; it is answered once, however often it is said. */
  async expiring() {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.triesLeft = 1;
    this.isAnswered = await this.renew("expiring");
  }
  /** The server took the new token, and will say when that one expires. */
  refreshed() {
    this.isAnswered = false;
  }
  /** The server refused the new token: try one more, then let it close with its own code. */
  async refused() {
    if (this.triesLeft === 0) return;
    this.triesLeft -= 1;
    await this.renew("rejected");
  }
  async renew(reason) {
    if (this.rate.waitMs() > 0) return false;
    this.rate.count();
    try {
      this.send(await this.token.renew(reason));
      return true;
    } catch (error) {
      this.failed(asError(error));
      return false;
    }
  }
};

// src/realtime/conversation.ts
var CLOSE_MS = 3e3;
var MARKS_AT_ONCE = 5;
var MARK_EVERY_MS = 3e3;
var Conversation = class {
  constructor(events, line, token, times, greetingMs, since) {
    this.events = events;
    this.line = line;
    this.greetingMs = greetingMs;
    this.position = new Position(since);
    this.heartbeat = new Heartbeat(
      times,
      () => this.send({ type: "ping", timestamp: Date.now() }),
      () => line.silent()
    );
    this.refresh = new Refresh(
      token,
      (renewed) => this.send({ type: "token.refresh", token: renewed }),
      (error) => this.events.emit("error", error)
    );
  }
  events;
  line;
  greetingMs;
  /** Kept from one socket to the next. */
  position;
  userId = null;
  heartbeat;
  refresh;
  deadline = new Timer();
  isOn = false;
  isEstablished = false;
  lastWord = null;
  /** Up to where the user has read, as far as this page knows; null while it does not ask. */
  mark = null;
  marking = new Timer();
  markRate = new Rate(MARKS_AT_ONCE, MARK_EVERY_MS);
  start() {
    this.isOn = true;
    this.heartbeat.start();
    this.refresh.start();
    this.deadline.set(
      this.greetingMs,
      () => this.line.silent("The server took the connection and did not greet.")
    );
  }
  /** End, and return the last frame, if the server said why it closes. */
  stop() {
    const { lastWord } = this;
    this.isOn = this.isEstablished = false;
    this.lastWord = null;
    this.heartbeat.stop();
    this.deadline.clear();
    this.marking.clear();
    return lastWord;
  }
  /** Whether there is a socket to talk on. */
  get isGoingOn() {
    return this.isOn;
  }
  /** Ask at once whether the server is there. */
  probe() {
    this.heartbeat.probe();
  }
  /** Move the read mark, never beyond what was told. */
  markAsRead(offset) {
    const last = this.position.place?.offset ?? offset;
    this.mark = Math.max(this.mark ?? 0, Math.min(offset, last) || 0);
    this.sendMark();
  }
  received(text) {
    this.heartbeat.heard();
    const frame = parseFrame(text);
    if (!frame) return this.events.emit("error", new Error("The server sent what is no frame."));
    this.events.emit("frame", "in", frame);
    if (!this.isOn) return;
    try {
      this.read(frame);
    } catch (error) {
      this.line.broken(error);
    }
  }
  read(frame) {
    switch (frame.type) {
      case "connection.established":
        return this.begin(frame);
      case "notification":
      case "event":
      case "entry.omitted":
        return this.deliver(frame);
      case "notifications.read":
        checkRead(frame);
        return this.events.emit("read", frame);
      case "token.expiring":
        return void this.refresh.expiring();
      case "token.refreshed":
        return this.refresh.refreshed();
      case "error":
        if (frame.code === "token_refused") void this.refresh.refused();
        return this.events.emit("error", frame);
      case "connection.closing":
        this.lastWord = frame;
        this.deadline.set(CLOSE_MS, () => this.line.silent());
    }
  }
  begin(frame) {
    checkGreeting(frame);
    if (this.isEstablished) throw new ProtocolError("The server greeted twice.");
    if (this.userId !== null && frame.user_id !== this.userId) return this.greetAnother(frame);
    const from = this.position.place;
    const to = this.position.begin(frame);
    this.userId = frame.user_id;
    this.isEstablished = true;
    this.deadline.clear();
    this.line.established();
    this.events.emit("established", frame);
    const isWhole = from ? frame.recovered && from.position === to.position : frame.recovered !== false;
    if (!isWhole) this.lose(from, to);
    this.sendMark();
  }
  /** Report a gap; of another history an offset says nothing. */
  lose(from, to) {
    this.mark &&= 0;
    this.events.emit("gap", from, to);
  }
  /** Begin anew for another user, whose stream has nothing to do with the place that was asked for. */
  greetAnother({ user_id }) {
    const before = this.userId;
    this.position.forget();
    this.mark &&= 0;
    this.userId = user_id;
    this.events.emit("user", user_id, before);
    this.line.changedUser();
  }
  deliver(frame) {
    if (!this.isEstablished) throw new ProtocolError("The server sent an entry before it greeted.");
    checkEntry(frame);
    const steps = this.position.stepsTo(frame);
    if (steps > 1) return this.miss(frame);
    if (steps === 1) this.tell(frame);
  }
  /** Report a gap, and go on after the last entry that was seen, in case the server has the rest. */
  miss({ offset, position }) {
    this.events.emit("gap", this.position.place, { offset, position });
    throw new ProtocolError("The server left out an entry.");
  }
  tell(frame) {
    if (!this.position.advance(frame)) return;
    const key = frame.position;
    switch (frame.type) {
      case "notification":
        return this.events.emit("notification", frame, key);
      case "event":
        return this.events.emit("event", frame, key);
      case "entry.omitted":
        return this.events.emit("omitted", frame, key);
    }
  }
  /** Say how far the user has read, once the server has said whose the socket is. */
  sendMark() {
    if (this.mark === null || !this.isEstablished) return;
    this.marking.set(this.markRate.waitMs(), () => {
      this.markRate.count();
      this.send({ type: "notifications.read", offset: this.mark });
    });
  }
  send(frame) {
    if (!this.line.send(JSON.stringify(frame))) return;
    const shown = frame.type === "token.refresh" ? { ...frame, token: "\u2026" } : frame;
    this.events.emit("frame", "out", shown);
  }
};

// src/realtime/emitter.ts
var Emitter = class {
  listeners = {};
  /** Call `listener` whenever it happens, until the function that is returned is called. */
  on(name, listener) {
    const listeners = this.listeners[name] ??= /* @__PURE__ */ new Set();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }
  emit(name, ...args) {
    for (const listener of this.listeners[name] ?? []) {
      try {
        listener(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
};

// src/realtime/options.ts
var LEAST_MS = 100;
function withDefaults(options) {
  const { url, token, backoff, heartbeat, connectTimeoutMs, onlineJitterMs } = options;
  return {
    url,
    token,
    since: options.since,
    random: options.random ?? Math.random,
    connectTimeoutMs: duration(connectTimeoutMs, 1e4, LEAST_MS),
    onlineJitterMs: duration(onlineJitterMs, 500),
    backoff: { baseMs: duration(backoff?.baseMs, 1e3), capMs: duration(backoff?.capMs, 3e4) },
    heartbeat: {
      intervalMs: duration(heartbeat?.intervalMs, 25e3, LEAST_MS),
      timeoutMs: duration(heartbeat?.timeoutMs, 1e4, LEAST_MS),
      probeMs: duration(heartbeat?.probeMs, 3e3, LEAST_MS)
    }
  };
}

// src/realtime/page.ts
function isOnline() {
  return globalThis.navigator?.onLine !== false;
}
function watchPage(listener) {
  const ended = new AbortController();
  const { signal } = ended;
  globalThis.addEventListener?.("online", () => listener.online(), { signal });
  globalThis.addEventListener?.("offline", () => listener.offline(), { signal });
  const seen = () => document.visibilityState === "visible" && listener.visible();
  globalThis.document?.addEventListener("visibilitychange", seen, { signal });
  return () => ended.abort();
}

// src/realtime/status.ts
function waiting({ code, name, sentence }, retryAt) {
  return { state: "waiting", retryAt, code, name, sentence };
}
function stopped({ code, name, sentence }, needsSignIn = false) {
  return { state: "stopped", code, name, sentence, needsSignIn };
}
var CLOSED = {
  state: "stopped",
  code: 1e3,
  name: "NORMAL",
  sentence: "The page closed the connection.",
  needsSignIn: false
};

// node_modules/partysocket/dist/ws.js
if (false)
  console.error(`
  PartySocket requires a global 'EventTarget' class to be available!
  You can polyfill this global by adding this to your code before any partysocket imports: 
  
  \`\`\`
  import 'partysocket/event-target-polyfill';
  \`\`\`
  Please file an issue at https://github.com/partykit/partykit if you're still having trouble.
`);
var ErrorEvent = class extends Event {
  message;
  error;
  constructor(error, target) {
    super("error", target);
    this.message = error.message;
    this.error = error;
  }
};
var CloseEvent = class extends Event {
  code;
  reason;
  wasClean = true;
  constructor(code = 1e3, reason = "", target) {
    super("close", target);
    this.code = code;
    this.reason = reason;
  }
};
var Events = {
  Event,
  ErrorEvent,
  CloseEvent
};
function assert(condition, msg) {
  if (!condition) throw new Error(msg);
}
function cloneEventBrowser(e) {
  return new e.constructor(e.type, e);
}
function cloneEventNode(e) {
  if ("data" in e) return new MessageEvent(e.type, e);
  if ("code" in e || "reason" in e)
    return new CloseEvent(e.code || 1999, e.reason || "unknown reason", e);
  if ("error" in e) return new ErrorEvent(e.error, e);
  return new Event(e.type, e);
}
var isNode = typeof process !== "undefined" && typeof process.versions?.node !== "undefined";
var isReactNative = typeof navigator !== "undefined" && navigator.product === "ReactNative";
var cloneEvent = isNode || isReactNative ? cloneEventNode : cloneEventBrowser;
var DEFAULT = {
  maxReconnectionDelay: 1e4,
  minReconnectionDelay: 3e3,
  minUptime: 5e3,
  reconnectionDelayGrowFactor: 1.3,
  connectionTimeout: 4e3,
  maxRetries: Number.POSITIVE_INFINITY,
  maxEnqueuedMessages: Number.POSITIVE_INFINITY,
  startClosed: false,
  debug: false
};
var didWarnAboutMissingWebSocket = false;
function absorbError() {
}
var ReconnectingWebSocket = class ReconnectingWebSocket2 extends EventTarget {
  _ws;
  _retryCount = -1;
  _uptimeTimeout;
  _connectTimeout;
  _shouldReconnect = true;
  _connectLock = false;
  _binaryType = "blob";
  _closeCalled = false;
  _didWarnAboutClosedSend = false;
  _messageQueue = [];
  _debugLogger = console.log.bind(console);
  _url;
  _protocols;
  _options;
  constructor(url, protocols, options = {}) {
    super();
    this._url = url;
    this._protocols = protocols;
    this._options = options;
    if (this._options.startClosed) this._shouldReconnect = false;
    if (this._options.debugLogger)
      this._debugLogger = this._options.debugLogger;
    this._connect();
  }
  static get CONNECTING() {
    return 0;
  }
  static get OPEN() {
    return 1;
  }
  static get CLOSING() {
    return 2;
  }
  static get CLOSED() {
    return 3;
  }
  get CONNECTING() {
    return ReconnectingWebSocket2.CONNECTING;
  }
  get OPEN() {
    return ReconnectingWebSocket2.OPEN;
  }
  get CLOSING() {
    return ReconnectingWebSocket2.CLOSING;
  }
  get CLOSED() {
    return ReconnectingWebSocket2.CLOSED;
  }
  get binaryType() {
    return this._ws ? this._ws.binaryType : this._binaryType;
  }
  set binaryType(value) {
    this._binaryType = value;
    if (this._ws) this._ws.binaryType = value;
  }
  /**
   * Returns the number or connection retries
   */
  get retryCount() {
    return Math.max(this._retryCount, 0);
  }
  /**
   * The number of bytes of data that have been queued using calls to send() but not yet
   * transmitted to the network. This value resets to zero once all queued data has been sent.
   * This value does not reset to zero when the connection is closed; if you keep calling send(),
   * this will continue to climb. Read only
   */
  get bufferedAmount() {
    return this._messageQueue.reduce((acc, message) => {
      if (typeof message === "string") acc += message.length;
      else if (message instanceof Blob) acc += message.size;
      else acc += message.byteLength;
      return acc;
    }, 0) + (this._ws ? this._ws.bufferedAmount : 0);
  }
  /**
   * The extensions selected by the server. This is currently only the empty string or a list of
   * extensions as negotiated by the connection
   */
  get extensions() {
    return this._ws ? this._ws.extensions : "";
  }
  /**
   * A string indicating the name of the sub-protocol the server selected;
   * this will be one of the strings specified in the protocols parameter when creating the
   * WebSocket object
   */
  get protocol() {
    return this._ws ? this._ws.protocol : "";
  }
  /**
   * The current state of the connection; this is one of the Ready state constants
   */
  get readyState() {
    if (this._closeCalled) return ReconnectingWebSocket2.CLOSED;
    if (this._ws) return this._ws.readyState;
    return this._options.startClosed ? ReconnectingWebSocket2.CLOSED : ReconnectingWebSocket2.CONNECTING;
  }
  /**
   * The URL as resolved by the constructor
   */
  get url() {
    return this._ws ? this._ws.url : "";
  }
  /**
   * Whether the websocket object is now in reconnectable state
   */
  get shouldReconnect() {
    return this._shouldReconnect;
  }
  /**
   * An event listener to be called when the WebSocket connection's readyState changes to CLOSED
   */
  onclose = null;
  /**
   * An event listener to be called when an error occurs
   */
  onerror = null;
  /**
   * An event listener to be called when a message is received from the server
   */
  onmessage = null;
  /**
   * An event listener to be called when the WebSocket connection's readyState changes to OPEN;
   * this indicates that the connection is ready to send and receive data
   */
  onopen = null;
  /**
   * Closes the WebSocket connection or connection attempt, if any. If the connection is already
   * CLOSED or CLOSING, this method does nothing.
   *
   * The `close` event is dispatched synchronously (mirroring how
   * `reconnect()` dispatches its synthetic close). This guarantees
   * consumers observe a terminal event for every explicit close, even
   * if their listeners are detached right after this call — previously
   * the real (asynchronous) browser close event could fire after
   * listeners were removed and go unobserved entirely.
   */
  close(code = 1e3, reason) {
    this._closeCalled = true;
    this._shouldReconnect = false;
    this._clearTimeouts();
    if (!this._ws) {
      this._debug("close enqueued: no ws instance");
      return;
    }
    if (this._ws.readyState === this.CLOSED || this._ws.readyState === this.CLOSING) {
      this._debug("close: already closing or closed");
      return;
    }
    this._disconnect(code, reason);
  }
  /**
   * Closes the WebSocket connection or connection attempt and connects again.
   * Resets retry counter;
   */
  reconnect(code, reason) {
    this._shouldReconnect = true;
    this._closeCalled = false;
    this._didWarnAboutClosedSend = false;
    this._retryCount = -1;
    if (!this._ws || this._ws.readyState === this.CLOSED || this._ws.readyState === this.CLOSING)
      this._connect();
    else {
      this._disconnect(code, reason);
      this._connect();
    }
  }
  /**
   * Enqueue specified data to be transmitted to the server over the WebSocket connection.
   *
   * @returns `true` if the message was transmitted immediately over an open
   * connection; `false` if it was buffered (sent when the connection next
   * opens — the buffer is always flushed before the `open` event is
   * dispatched) or dropped because `maxEnqueuedMessages` was reached.
   */
  send(data) {
    if (this._ws && this._ws.readyState === this.OPEN) {
      this._debug("send", data);
      this._ws.send(data);
      return true;
    }
    if (this._closeCalled && !this._didWarnAboutClosedSend) {
      this._didWarnAboutClosedSend = true;
      console.warn(
        "ReconnectingWebSocket: send() was called after close(). The message has been buffered, but it will only be delivered if reconnect() is called on this socket. If this socket has been discarded, the message is lost \u2014 this usually means a stale socket reference is being used."
      );
    }
    const { maxEnqueuedMessages = DEFAULT.maxEnqueuedMessages } = this._options;
    if (this._messageQueue.length < maxEnqueuedMessages) {
      this._debug("enqueue", data);
      this._messageQueue.push(data);
    }
    return false;
  }
  /**
   * Removes and returns all messages that were passed to send() but never
   * transmitted (they were buffered while the connection wasn't open).
   *
   * Useful when a socket is being discarded and replaced (e.g. the React
   * hooks recreate the socket when connection options change): the
   * replacement socket can re-send these messages, instead of them being
   * silently lost with the old instance.
   */
  drainQueuedMessages() {
    const queue = this._messageQueue;
    this._messageQueue = [];
    return queue;
  }
  _debug(...args) {
    if (this._options.debug) this._debugLogger("RWS>", ...args);
  }
  _getNextDelay() {
    const {
      reconnectionDelayGrowFactor = DEFAULT.reconnectionDelayGrowFactor,
      minReconnectionDelay = DEFAULT.minReconnectionDelay,
      maxReconnectionDelay = DEFAULT.maxReconnectionDelay
    } = this._options;
    let delay = 0;
    if (this._retryCount > 0) {
      delay = minReconnectionDelay * reconnectionDelayGrowFactor ** (this._retryCount - 1);
      if (delay > maxReconnectionDelay) delay = maxReconnectionDelay;
    }
    this._debug("next delay", delay);
    return delay;
  }
  _wait() {
    return new Promise((resolve) => {
      setTimeout(resolve, this._getNextDelay());
    });
  }
  _getNextProtocols(protocolsProvider) {
    if (!protocolsProvider) return Promise.resolve(null);
    if (typeof protocolsProvider === "string" || Array.isArray(protocolsProvider))
      return Promise.resolve(protocolsProvider);
    if (typeof protocolsProvider === "function") {
      const protocols = protocolsProvider();
      if (!protocols) return Promise.resolve(null);
      if (typeof protocols === "string" || Array.isArray(protocols))
        return Promise.resolve(protocols);
      if (protocols.then) return protocols;
    }
    throw Error("Invalid protocols");
  }
  _getNextUrl(urlProvider) {
    if (typeof urlProvider === "string") return Promise.resolve(urlProvider);
    if (typeof urlProvider === "function") {
      const url = urlProvider();
      if (typeof url === "string") return Promise.resolve(url);
      if (url.then) return url;
    }
    throw Error("Invalid URL");
  }
  _connect() {
    if (this._connectLock || !this._shouldReconnect) return;
    this._connectLock = true;
    const {
      maxRetries = DEFAULT.maxRetries,
      connectionTimeout = DEFAULT.connectionTimeout
    } = this._options;
    if (this._retryCount >= maxRetries) {
      this._debug("max retries reached", this._retryCount, ">=", maxRetries);
      this._connectLock = false;
      return;
    }
    this._retryCount++;
    this._debug("connect", this._retryCount);
    this._removeListeners();
    this._wait().then(
      () => Promise.all([
        this._getNextUrl(this._url),
        this._getNextProtocols(this._protocols || null)
      ])
    ).then(([url, protocols]) => {
      if (this._closeCalled) {
        this._connectLock = false;
        return;
      }
      if (!this._options.WebSocket && typeof WebSocket === "undefined" && !didWarnAboutMissingWebSocket) {
        console.error(`\u203C\uFE0F No WebSocket implementation available. You should define options.WebSocket. 

For example, if you're using node.js, run \`npm install ws\`, and then in your code:

import PartySocket from 'partysocket';
import WS from 'ws';

const partysocket = new PartySocket({
  host: "127.0.0.1:1999",
  room: "test-room",
  WebSocket: WS
});

`);
        didWarnAboutMissingWebSocket = true;
      }
      const WS = this._options.WebSocket || WebSocket;
      this._debug("connect", {
        url,
        protocols
      });
      this._ws = protocols ? new WS(url, protocols) : new WS(url);
      this._ws.binaryType = this._binaryType;
      this._connectLock = false;
      this._addListeners();
      this._connectTimeout = setTimeout(
        () => this._handleTimeout(),
        connectionTimeout
      );
    }).catch((err) => {
      this._connectLock = false;
      this._handleError(new Events.ErrorEvent(Error(err.message), this));
    });
  }
  _handleTimeout() {
    this._debug("timeout event");
    this._handleError(new Events.ErrorEvent(Error("TIMEOUT"), this));
  }
  _disconnect(code = 1e3, reason) {
    this._clearTimeouts();
    if (!this._ws) return;
    this._removeListeners();
    try {
      if (this._ws.readyState === this.OPEN || this._ws.readyState === this.CONNECTING)
        this._ws.close(code, reason);
      this._handleClose(new Events.CloseEvent(code, reason, this));
    } catch (_error) {
    }
  }
  _acceptOpen() {
    this._debug("accept open");
    this._retryCount = 0;
  }
  _handleOpen = (event) => {
    this._debug("open event");
    const { minUptime = DEFAULT.minUptime } = this._options;
    clearTimeout(this._connectTimeout);
    this._uptimeTimeout = setTimeout(() => this._acceptOpen(), minUptime);
    assert(this._ws, "WebSocket is not defined");
    this._ws.binaryType = this._binaryType;
    this._messageQueue.forEach((message) => {
      this._ws?.send(message);
    });
    this._messageQueue = [];
    if (this.onopen) this.onopen(event);
    this.dispatchEvent(cloneEvent(event));
  };
  _handleMessage = (event) => {
    this._debug("message event");
    if (this.onmessage) this.onmessage(event);
    this.dispatchEvent(cloneEvent(event));
  };
  _handleError = (event) => {
    this._debug("error event", event.message);
    this._disconnect(void 0, event.message === "TIMEOUT" ? "timeout" : void 0);
    if (this.onerror) this.onerror(event);
    this._debug("exec error listeners");
    this.dispatchEvent(cloneEvent(event));
    this._connect();
  };
  _handleClose = (event) => {
    this._debug("close event");
    this._clearTimeouts();
    if (this._options.shouldReconnectOnClose && !this._options.shouldReconnectOnClose(event))
      this._shouldReconnect = false;
    if (this._shouldReconnect) this._connect();
    if (this.onclose) this.onclose(event);
    this.dispatchEvent(cloneEvent(event));
  };
  _removeListeners() {
    if (!this._ws) return;
    this._debug("removeListeners");
    this._ws.removeEventListener("open", this._handleOpen);
    this._ws.removeEventListener("close", this._handleClose);
    this._ws.removeEventListener("message", this._handleMessage);
    this._ws.removeEventListener("error", this._handleError);
    this._ws.addEventListener("error", absorbError);
  }
  _addListeners() {
    if (!this._ws) return;
    this._debug("addListeners");
    this._ws.addEventListener("open", this._handleOpen);
    this._ws.addEventListener("close", this._handleClose);
    this._ws.addEventListener("message", this._handleMessage);
    this._ws.addEventListener("error", this._handleError);
  }
  _clearTimeouts() {
    clearTimeout(this._connectTimeout);
    clearTimeout(this._uptimeTimeout);
  }
};

// src/realtime/transport.ts
var Transport = class {
  constructor(listener, connectionTimeout) {
    this.listener = listener;
    this.socket = new ReconnectingWebSocket(
      () => this.url,
      () => this.protocols,
      { startClosed: true, maxRetries: 0, maxEnqueuedMessages: 0, connectionTimeout }
    );
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = ({ data }) => this.received(data);
    this.socket.onclose = (event) => this.ended(realCode(event));
    this.socket.onerror = () => this.ended(ABNORMAL);
  }
  listener;
  socket;
  url = "";
  protocols = [];
  isBusy = false;
  isOpen = false;
  connect(url, protocols) {
    [this.url, this.protocols, this.isBusy] = [url, protocols, true];
    this.socket.reconnect();
  }
  /** Send a text; false if nothing is open. */
  send(text) {
    return this.isOpen && this.socket.send(text);
  }
  /** End what is there, and say nothing of it. */
  close() {
    this.isBusy = this.isOpen = false;
    this.socket.close();
  }
  opened() {
    this.isOpen = true;
    this.listener.opened();
  }
  received(data) {
    if (typeof data === "string") this.listener.received(data);
  }
  ended(code) {
    if (!this.isBusy) return;
    this.isBusy = this.isOpen = false;
    this.listener.ended(code);
  }
};
function realCode(event) {
  return event instanceof CloseEvent ? ABNORMAL : event.code;
}

// src/realtime/client.ts
var STOOD_MS = 1e4;
var ATTEMPTS_AT_ONCE = 6;
var ATTEMPT_EVERY_MS = 1e4;
var RealtimeClient = class {
  status = CLOSED;
  options;
  events = new Emitter();
  token;
  backoff;
  conversation;
  transport;
  timer = new Timer();
  rate = new Rate(ATTEMPTS_AT_ONCE, ATTEMPT_EVERY_MS);
  openSince = Infinity;
  inVain = 0;
  leavePage = null;
  notBefore = 0;
  constructor(options) {
    this.options = withDefaults(options);
    const { token, backoff, heartbeat, random, connectTimeoutMs, since } = this.options;
    this.token = new Token(token, connectTimeoutMs);
    this.backoff = new Backoff(backoff, random);
    const line = {
      send: (text) => this.transport.send(text),
      established: () => this.established(),
      silent: (sentence) => this.silent(sentence),
      broken: (error) => this.broken(error),
      changedUser: () => this.changedUser()
    };
    this.conversation = new Conversation(
      this.events,
      line,
      this.token,
      heartbeat,
      connectTimeoutMs,
      since
    );
    const listener = {
      opened: () => this.opened(),
      received: (text) => this.conversation.received(text),
      ended: (code) => this.ended(code)
    };
    this.transport = new Transport(listener, connectTimeoutMs);
  }
  /** The last entry that was told, to go on from elsewhere; null before the first greeting. */
  get position() {
    return this.conversation.position.place?.position ?? null;
  }
  /** The offset of that entry. */
  get offset() {
    return this.conversation.position.place?.offset ?? null;
  }
  /**
   * Move the user's read mark up to the offset of an entry; 0 only asks where it is.
   *
   * The event `read` answers. The mark is sent when there is a socket, and asked for on each later
   * one, because another device may have moved it meanwhile.
   */
  markAsRead(offset) {
    this.conversation.markAsRead(offset);
  }
  /** Call `listener` whenever it happens; the function that is returned ends that. */
  on(name, listener) {
    return this.events.on(name, listener);
  }
  /** Connect, and stay connected until `close()` or a reason to stop. */
  open() {
    if (this.leavePage) return;
    this.leavePage = watchPage({
      online: () => this.cameOnline(),
      offline: () => this.wentOffline(),
      visible: () => this.conversation.probe()
    });
    this.backoff.reset();
    this.attemptSoon();
  }
  /** Connect anew at once, as after a new sign-in: the next token is asked for, not kept. */
  reconnect() {
    this.token.forget();
    if (!this.leavePage) return this.open();
    this.hangUp();
    this.attemptSoon();
  }
  /** End for good, or until `open()`. */
  close() {
    if (this.leavePage) this.stop(CLOSED);
  }
  attemptAfter(ms, meanwhile) {
    this.timer.set(ms, () => void this.attempt());
    this.reportWhereOnline(meanwhile);
  }
  /** Attempt after a short time, or when there were not too many attempts. */
  attemptSoon(ms = 0) {
    const waitMs = this.rate.waitMs();
    if (waitMs <= ms) return this.attemptAfter(ms, { state: "connecting" });
    const closure = closureOf(ABNORMAL, null, "There were many connections in the last minute.");
    this.attemptAfter(waitMs, waiting(closure, Date.now() + waitMs));
  }
  async attempt() {
    const visit = this.leavePage;
    this.rate.count();
    this.reportWhereOnline({ state: "connecting" });
    try {
      const token = await this.token.get();
      if (visit !== this.leavePage) return;
      const url = this.conversation.position.addedTo(socketUrl(this.options.url));
      this.transport.connect(url, subprotocols(token));
    } catch (error) {
      if (visit === this.leavePage) this.hasNoToken(asError(error));
    }
  }
  hasNoToken(error) {
    const needsSignIn = error instanceof SignInRequiredError;
    const code = needsSignIn ? CloseCode.UNAUTHORIZED : CloseCode.UNAVAILABLE;
    const closure = closureOf(code, null, error.message);
    if (needsSignIn) this.stop(stopped(closure, true));
    else this.comeBack(closure);
    this.events.emit("error", error);
  }
  opened() {
    this.inVain = 0;
    this.conversation.start();
  }
  established() {
    this.openSince = Date.now();
    this.report({ state: "open" });
  }
  silent(sentence) {
    this.transport.close();
    this.ended(ABNORMAL, sentence);
  }
  broken(error) {
    this.hangUp();
    this.comeBack(closureOf(PROTOCOL_ERROR, null, error.message));
    this.events.emit("error", error);
  }
  changedUser() {
    this.hangUp();
    this.attemptSoon();
  }
  /** End this socket, and count whether it was a good one. */
  hangUp() {
    this.conversation.stop();
    this.transport.close();
    this.judge();
  }
  /** Let the waits begin anew after a connection that has stood. */
  judge() {
    if (Date.now() - this.openSince >= STOOD_MS) {
      this.backoff.reset();
      this.token.accept();
    }
    this.openSince = Infinity;
  }
  ended(code, sentence) {
    const wasOpened = this.conversation.isGoingOn;
    this.judge();
    const why = sentence ?? (wasOpened ? void 0 : this.unreachable());
    const closure = closureOf(code, this.conversation.stop(), why);
    if (!closure.comesBack) return this.stop(stopped(closure));
    if (closure.code === CloseCode.UNAUTHORIZED && !this.token.reject()) {
      return this.stop(stopped(closure, true));
    }
    this.comeBack(closure);
  }
  comeBack(closure) {
    this.notBefore = Date.now() + closure.atLeastMs;
    const usualMs = duration(closure.atLeastMs + this.backoff.next(closure.withinMs), 1e3);
    const ms = Math.max(usualMs, this.rate.waitMs());
    this.attemptAfter(ms, waiting(closure, Date.now() + ms));
  }
  /** Say why no socket was opened; a browser tells a page nothing of it. */
  unreachable() {
    this.inVain += 1;
    const advice = "Check the address, and that the server allows the origin of this page.";
    return this.inVain > 1 ? `Could not connect. ${advice}` : "Could not connect.";
  }
  stop(status) {
    this.timer.clear();
    this.token.stop();
    this.hangUp();
    this.leavePage?.();
    this.leavePage = null;
    this.report(status);
  }
  cameOnline() {
    this.conversation.probe();
    if (this.status.state !== "offline") return;
    this.backoff.reset();
    if (!this.timer.isSet) return this.report({ state: "connecting" });
    const jitterMs = this.backoff.jitter(this.options.onlineJitterMs);
    this.attemptSoon(Math.max(0, this.notBefore - Date.now()) + jitterMs);
  }
  wentOffline() {
    this.conversation.probe();
    if (this.status.state === "waiting") this.report({ state: "offline" });
  }
  /** Report what is the matter, or that the browser has no network, which explains more. */
  reportWhereOnline(status) {
    this.report(isOnline() ? status : { state: "offline" });
  }
  report(status) {
    if (JSON.stringify(status) === JSON.stringify(this.status)) return;
    this.status = status;
    this.events.emit("status", status);
  }
};

export {
  CloseCode,
  KNOWN_CODES,
  ProtocolError,
  SignInRequiredError,
  CLOSED,
  RealtimeClient
};
/*! Licenses of third parties: index.js.LEGAL.txt */
