/** One entry of a stream, or its beginning. */
export interface Place {
	/** Rises by one from entry to entry. */
	readonly offset: number;
	/** The server's name of this place. Only the server reads it; for a page it is a unique key. */
	readonly position: string;
}
/** What a client begins with: all of a history, its last entries, or what follows a position. */
export type Since = "start" | number | (string & {});
/** What a notification says; a page may understand more keys. */
interface Notification$1 {
	title: string;
	body: string;
	[key: string]: unknown;
}
export interface EstablishedFrame extends Place {
	type: "connection.established";
	message: string;
	user_id: string;
	org_id?: string;
	expires_at: string;
	/** Whether everything after the client's position follows; null if it named none. */
	recovered: boolean | null;
}
export interface NotificationFrame extends Place {
	type: "notification";
	notification: Notification$1;
}
export interface EventFrame extends Place {
	type: "event";
	event_type: string;
	data: unknown;
}
/** Stands in the place of an entry that cannot be sent. */
export interface OmittedFrame extends Place {
	type: "entry.omitted";
	/** Bytes of the frame that was not sent. */
	size: number;
}
/** The user has read up to an offset, perhaps in another tab or on another device. */
export interface ReadFrame {
	type: "notifications.read";
	offset: number;
	/** How many entries follow it. */
	unread: number;
}
export interface ClosingFrame {
	type: "connection.closing";
	code: number;
	reason: string;
	reconnect: boolean;
	retry_after_ms: number | null;
}
export interface ErrorFrame {
	type: "error";
	code: string;
	message: string;
}
export interface PongFrame {
	type: "pong";
	timestamp: unknown;
}
export interface TokenFrame {
	type: "token.expiring" | "token.refreshed";
	expires_at: string;
}
/** A frame that the server sends; a newer server may send types that are not listed. */
export type ServerFrame = EstablishedFrame | NotificationFrame | EventFrame | OmittedFrame | ReadFrame | ClosingFrame | ErrorFrame | PongFrame | TokenFrame;
/** A frame that is an entry of the stream, or stands in the place of one. */
export type EntryFrame = NotificationFrame | EventFrame | OmittedFrame;
/** A frame that the client sends. */
export type ClientFrame = {
	type: "ping";
	timestamp: number;
} | {
	type: "token.refresh";
	token: string;
} | {
	type: "notifications.read";
	offset: number;
};
/** What a client is doing, for the page to show. */
export type Status = {
	state: "connecting";
} | {
	state: "open";
}
/** `retryAt` is in milliseconds, as `Date.now()`. */
 | {
	state: "waiting";
	retryAt: number;
	code: number;
	name: string;
	sentence: string;
}
/** The browser has no network. It tries now and then: a server on the same machine needs none. */
 | {
	state: "offline";
}
/** It will not come back by itself. */
 | {
	state: "stopped";
	code: number;
	name: string;
	sentence: string;
	needsSignIn: boolean;
};
/** The status after `close()`. */
export declare const CLOSED: Status;
/** What a client tells those who listen; a key is unique among all entries of a stream. */
export type ClientEvents = {
	status: [
		status: Status
	];
	established: [
		frame: EstablishedFrame
	];
	notification: [
		frame: NotificationFrame,
		key: string
	];
	event: [
		frame: EventFrame,
		key: string
	];
	/** An entry was too large to be sent. Nothing else is lost, and asking again would not help. */
	omitted: [
		frame: OmittedFrame,
		key: string
	];
	/** Somebody else is signed in: what was told before is not theirs. */
	user: [
		id: string,
		before: string
	];
	/** The user has read up to an offset, perhaps in another tab. */
	read: [
		frame: ReadFrame
	];
	/** Something between the two places may be lost: load anew what the page shows. */
	gap: [
		from: Place | null,
		to: Place
	];
	/** The server complained, or no token could be had. */
	error: [
		error: Error | ErrorFrame
	];
	/** Every frame as it goes over the wire, but for the token, which a page must not show. */
	frame: [
		direction: "in" | "out",
		frame: ServerFrame | ClientFrame
	];
};
type Random = () => number;
interface BackoffLimits {
	baseMs: number;
	capMs: number;
}
interface HeartbeatTimes {
	/** Ping when nothing was heard for so long. */
	intervalMs: number;
	/** The connection is dead when nothing came for so long after a ping, */
	timeoutMs: number;
	/** or for so long where it probably is, such as after sleep. */
	probeMs: number;
}
/** Why a token is asked for: none yet, the server refused the last one, or it expires soon. */
export type TokenReason = "first" | "rejected" | "expiring";
/** Returns a fresh access token; throws SignInRequiredError where the user has to sign in. */
export type TokenProvider = (reason: TokenReason) => Promise<string>;
/** No token can be had without the user. */
export declare class SignInRequiredError extends Error {
	name: string;
}
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
/**
 * One socket that comes back: with a token that is still good, after a time that suits the reason,
 * at the place in the stream where it was.
 */
export declare class RealtimeClient {
	status: Status;
	private readonly options;
	private readonly events;
	private readonly token;
	private readonly backoff;
	private readonly conversation;
	private readonly transport;
	private readonly timer;
	private readonly rate;
	private openSince;
	private inVain;
	private leavePage;
	private notBefore;
	constructor(options: ClientOptions);
	/** The last entry that was told, to go on from elsewhere; null before the first greeting. */
	get position(): string | null;
	/** The offset of that entry. */
	get offset(): number | null;
	/**
	 * Move the user's read mark up to the offset of an entry; 0 only asks where it is.
	 *
	 * The event `read` answers. The mark is sent when there is a socket, and asked for on each later
	 * one, because another device may have moved it meanwhile.
	 */
	markAsRead(offset: number): void;
	/** Call `listener` whenever it happens; the function that is returned ends that. */
	on<Name extends keyof ClientEvents>(name: Name, listener: (...args: ClientEvents[Name]) => void): () => void;
	/** Connect, and stay connected until `close()` or a reason to stop. */
	open(): void;
	/** Connect anew at once, as after a new sign-in: the next token is asked for, not kept. */
	reconnect(): void;
	/** End for good, or until `open()`. */
	close(): void;
	private attemptAfter;
	/** Attempt after a short time, or when there were not too many attempts. */
	private attemptSoon;
	private attempt;
	private hasNoToken;
	private opened;
	private established;
	private silent;
	private broken;
	private changedUser;
	/** End this socket, and count whether it was a good one. */
	private hangUp;
	/** Let the waits begin anew after a connection that has stood. */
	private judge;
	private ended;
	private comeBack;
	/** Say why no socket was opened; a browser tells a page nothing of it. */
	private unreachable;
	private stop;
	private cameOnline;
	private wentOffline;
	/** Report what is the matter, or that the browser has no network, which explains more. */
	private reportWhereOnline;
	private report;
}
/** The server, or what answers in its place, does not keep the contract; the sentence says how. */
export declare class ProtocolError extends Error {
	name: string;
}
/** The numbers of the codes that the server closes with, by name. */
export declare const CloseCode: {
	readonly INTERNAL_ERROR: 1011;
	readonly RESTART: 1012;
	readonly UNAUTHORIZED: 4001;
	readonly FORBIDDEN: 4003;
	readonly UNAVAILABLE: 4104;
	readonly TOO_SLOW: 4108;
	readonly RATE_LIMITED: 4113;
	readonly TOO_MANY_CONNECTIONS: 4504;
	readonly TOO_MANY_ERRORS: 4509;
};
/** What is known of a code; `retryAfterMs` is null where coming back cannot help. */
export interface KnownCode {
	name: string;
	meaning: string;
	retryAfterMs: number | null;
}
/** Every code that the server closes with. */
export declare const KNOWN_CODES: Readonly<Record<number, KnownCode>>;

export {
	Notification$1 as Notification,
};

export {};
