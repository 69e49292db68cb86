import type { BackoffLimits, Random } from "./backoff";
import type { HeartbeatTimes } from "./heartbeat";
import type { TokenProvider } from "./token";

/** How a client connects; what is not given has a default. */
export interface ClientOptions {
  /** The address of the endpoint: a URL, or a path of this page's server. */
  url: string;
  token: TokenProvider;
  backoff?: Partial<BackoffLimits>;
  heartbeat?: Partial<HeartbeatTimes>;
  /** How long a token may take, and a socket: the server lets a client in within 4 s, or says no. */
  connectTimeoutMs?: number;
  /** Clients that come online together wait a random part of this. */
  onlineJitterMs?: number;
  random?: Random;
}

/** Return the options with every default. */
export function withDefaults(options: ClientOptions) {
  return {
    connectTimeoutMs: 10_000,
    onlineJitterMs: 500,
    random: Math.random,
    ...options,
    backoff: { baseMs: 1_000, capMs: 30_000, ...options.backoff },
    heartbeat: { intervalMs: 25_000, timeoutMs: 10_000, probeMs: 3_000, ...options.heartbeat },
  };
}
