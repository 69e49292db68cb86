import type { BackoffLimits, Random } from "./backoff";
import type { HeartbeatTimes } from "./heartbeat";
import type { Since } from "./position";
import { duration } from "./timer";
import type { TokenProvider } from "./token";

/** How a client connects; what is not given, or no time at all, has a default. */
export interface ClientOptions {
  /** The address of the endpoint: a URL, or a path of this page's server. */
  url: string;
  /** Left out where the session cookie says who the user is. */
  token?: TokenProvider | undefined;
  /**
   * What to begin with: all of the history that is kept, its last so many entries, or what follows a
   * position, which a list of the REST API has. By default what is new.
   */
  since?: Since | undefined;
  backoff?: Partial<BackoffLimits> | undefined;
  heartbeat?: Partial<HeartbeatTimes> | undefined;
  /**
   * How long a token may take, and a socket, and its greeting: the server lets a client in within
   * 4 s, or says no.
   */
  connectTimeoutMs?: number | undefined;
  /** Clients that come online together wait a random part of this. */
  onlineJitterMs?: number | undefined;
  random?: Random | undefined;
}

/** Below this, a heartbeat would be a flood of pings. */
const LEAST_MS = 100;

/** Return the options with every default. */
export function withDefaults(options: ClientOptions) {
  const { url, token, backoff, heartbeat, connectTimeoutMs, onlineJitterMs } = options;
  return {
    url,
    token,
    since: options.since,
    random: options.random ?? Math.random,
    connectTimeoutMs: duration(connectTimeoutMs, 10_000, LEAST_MS),
    onlineJitterMs: duration(onlineJitterMs, 500),
    backoff: { baseMs: duration(backoff?.baseMs, 1_000), capMs: duration(backoff?.capMs, 30_000) },
    heartbeat: {
      intervalMs: duration(heartbeat?.intervalMs, 25_000, LEAST_MS),
      timeoutMs: duration(heartbeat?.timeoutMs, 10_000, LEAST_MS),
      probeMs: duration(heartbeat?.probeMs, 3_000, LEAST_MS),
    },
  };
}
