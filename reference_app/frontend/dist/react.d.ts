import { ReactNode } from 'react';

interface Place {
	/** Rises by one from entry to entry. */
	readonly offset: number;
	/** The server's name of this place. Only the server reads it; for a page it is a unique key. */
	readonly position: string;
}
type Since = "start" | number | (string & {});
interface Notification$1 {
	title: string;
	body: string;
	[key: string]: unknown;
}
interface EstablishedFrame extends Place {
	type: "connection.established";
	message: string;
	user_id: string;
	org_id?: string;
	expires_at: string;
	/** Whether everything after the client's position follows; null if it named none. */
	recovered: boolean | null;
}
interface NotificationFrame extends Place {
	type: "notification";
	notification: Notification$1;
}
interface EventFrame extends Place {
	type: "event";
	event_type: string;
	data: unknown;
}
interface OmittedFrame extends Place {
	type: "entry.omitted";
	/** Bytes of the frame that was not sent. */
	size: number;
}
interface ReadFrame {
	type: "notifications.read";
	offset: number;
	/** How many entries follow it. */
	unread: number;
}
interface ClosingFrame {
	type: "connection.closing";
	code: number;
	reason: string;
	reconnect: boolean;
	retry_after_ms: number | null;
}
interface ErrorFrame {
	type: "error";
	code: string;
	message: string;
}
interface PongFrame {
	type: "pong";
	timestamp: unknown;
}
interface TokenFrame {
	type: "token.expiring" | "token.refreshed";
	expires_at: string;
}
type ServerFrame = EstablishedFrame | NotificationFrame | EventFrame | OmittedFrame | ReadFrame | ClosingFrame | ErrorFrame | PongFrame | TokenFrame;
type ClientFrame = {
	type: "ping";
	timestamp: number;
} | {
	type: "token.refresh";
	token: string;
} | {
	type: "notifications.read";
	offset: number;
};
type Status = {
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
type ClientEvents = {
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
type TokenReason = "first" | "rejected" | "expiring";
type TokenProvider = (reason: TokenReason) => Promise<string>;
interface ClientOptions {
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
interface Keyed {
	key: string;
}
interface Item extends Keyed {
	offset: number;
}
interface SentItem extends Item {
	omitted?: undefined;
}
/** Is listed in the place of an entry that was too large to be sent: a page should say so there. */
export interface OmittedItem extends Item {
	omitted: OmittedFrame;
}
interface StreamState<Item> {
	items: (Item | OmittedItem)[];
	/** How many entries have come, with those that the list no longer holds. */
	arrived: number;
	/** The offset up to which the user has read, in whatever tab; null while it is not known. */
	read: number | null;
	/** How many entries follow it, listed or not. */
	unread: number | null;
	status: Status;
	/** The latest complaint since the socket opened, or the server took another token. */
	error: Error | ErrorFrame | null;
}
interface StreamHandlers {
	/** Something may be lost: load anew what the page shows. */
	onGap?: ((...places: ClientEvents["gap"]) => void) | undefined;
	/** The server let the socket in. */
	onEstablished?: ((...frame: ClientEvents["established"]) => void) | undefined;
	/** Sees every frame, for a live view. */
	onFrame?: ((...frame: ClientEvents["frame"]) => void) | undefined;
}
type Connection = Omit<ClientOptions, "url">;
interface ProviderProps extends Connection {
	/** Who is signed in, by an id that another user does not have; null is nobody, so no socket. */
	user: string | null;
	children: ReactNode;
}
/** Let all components below share one socket for each stream, with the same token. */
export declare function RealtimeProvider({ user, children, ...connection }: ProviderProps): import("react").JSX.Element;
/** How a hook connects. A function may be a new one in each rendering. */
export interface StreamOptions extends Omit<Connection, "token">, StreamHandlers {
	url?: string | undefined;
	/** Left out below a `RealtimeProvider`, or where the session cookie says who the user is. */
	token?: TokenProvider | undefined;
	/** Who is signed in, by an id that another user does not have: another one sees a new stream. */
	user?: string | null | undefined;
	/** False for no socket, as long as there is nobody to connect for. */
	enabled?: boolean | undefined;
	/** How many entries are kept, the latest ones. */
	limit?: number | undefined;
}
interface HookState<Item> extends StreamState<Item> {
	/** Connect anew with a new token, as after a new sign-in. */
	reconnect: () => void;
	/** Move the user's read mark up to an item's offset, or to the end; every tab is told. */
	markAsRead: (offset?: number) => void;
}
type Listed<Name extends string, Item> = Omit<HookState<Item>, "items"> & Record<Name, StreamState<Item>["items"]>;
/** What a notification says; keys `key`, `offset` and `omitted` of its own are hidden. */
export type NotificationItem = Notification$1 & SentItem;
/** Follow the user's own notifications, oldest first, and how many of them are unread. */
export declare function useNotifications(options?: StreamOptions): Listed<"notifications", NotificationItem>;
/**
 * An event of a stream. `Types` says for each type of event what its data is:
 * `EventItem<{ "member.joined": { name: string } }>`.
 */
export type EventItem<Types extends object = Record<string, unknown>> = {
	[Type in keyof Types & string]: {
		event_type: Type;
		data: Types[Type];
	} & SentItem;
}[keyof Types & string];
/** Follow the events of one organization, oldest first. */
export declare function useOrganizationEvents<Types extends object = Record<string, unknown>>(orgId: string, options?: StreamOptions): Listed<"events", EventItem<Types>>;

export {};
