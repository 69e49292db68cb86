"""The application with one promise broken, by the first part of the path: `/name_of_break/ws/…`.

Each function is a break, and its decorator names the check that has to find it.
"""

import asyncio
import itertools
import json

from config.asgi import application as whole  # isort: skip  (sets Django up for the next import)
from jwt.utils import base64url_decode

from devrealm.issue import sign

# By name, a break as an ASGI application, and the check that finds it.
BREAKS = {}


async def application(scope, receive, send):
    _, name, *_ = scope["path"].split("/")
    broken, _ = BREAKS.get(name, (whole, None))
    path = scope["path"] if broken is whole else scope["path"].removeprefix(f"/{name}")
    await broken(dict(scope, path=path), receive, send)


# The kinds of breaks.


def breaks(check):
    def enter(broken):
        BREAKS[broken.__name__] = broken, check
        return broken

    return enter


def refuses(check):
    """Refuse a handshake with HTTP 403 where the function says so of its scope."""

    def enter(is_refused):
        async def refuse(scope, receive, send):
            if not is_refused(scope):
                return await whole(scope, receive, send)
            await receive()
            await send({"type": "websocket.close"})

        BREAKS[is_refused.__name__] = refuse, check

    return enter


def sees(check):
    """Show the application the scope that the function returns."""

    def enter(change):
        async def see(scope, receive, send):
            await whole(change(scope), receive, send)

        BREAKS[change.__name__] = see, check

    return enter


def says(check):
    """Send the events that the function yields for one of the application."""

    def enter(change):
        async def say(scope, receive, send):
            async def changed_send(event):
                for each in change(event, scope):
                    await send(each)

            await whole(scope, receive, changed_send)

        BREAKS[change.__name__] = say, check

    return enter


def hears(check):
    """Send the event that the function returns for a message, and keep the message back."""

    def enter(answer):
        async def hear(scope, receive, send):
            async def kept_receive():
                while True:
                    event = await receive()
                    is_message = event["type"] == "websocket.receive"
                    answered = is_message and answer(event.get("text") or "", event)
                    if not answered:
                        return event
                    await send(answered)

            await whole(scope, kept_receive, send)

        BREAKS[answer.__name__] = hear, check

    return enter


# What a handshake and an event tell.


def header(scope, name):
    return dict(scope["headers"]).get(name, b"").decode()


def without(scope, name):
    return dict(scope, headers=[each for each in scope["headers"] if each[0] != name])


def token_in(scope):
    return header(scope, b"authorization").removeprefix("Bearer ")


def frame_in(event):
    return json.loads(event["text"]) if event.get("text") else {"type": None}


def event_of(frame):
    return {"type": "websocket.send", "text": json.dumps(frame)}


def changed(event, kind, **keys):
    """Return an event with some keys of its frame replaced, if it is of this type."""
    frame = frame_in(event)
    return event_of(frame | keys) if frame["type"] == kind else event


PONG = event_of({"type": "pong", "timestamp": None})
CLOSE = {"type": "websocket.close", "code": 4000}


# Who gets in.


@refuses("own_page")
def own_page_is_refused(scope):
    return header(scope, b"origin") == f"http://{header(scope, b'host')}"


@sees("foreign_page")
def page_of_any_site_gets_in(scope):
    return without(scope, b"origin") if ".invalid" in header(scope, b"origin") else scope


@sees("page_on_another_port")
def port_is_ignored(scope):
    return without(scope, b"origin") if header(scope, b"origin").endswith(":1") else scope


@refuses("without_origin")
def client_without_origin_is_refused(scope):
    return not header(scope, b"origin")


@breaks("unknown_path")
async def unknown_path_is_an_error(scope, receive, send):
    if scope["path"].endswith("no-such-path/"):
        raise ValueError("no route")
    await whole(scope, receive, send)


# Tokens.


@sees("header")
def header_does_not_arrive(scope):
    return without(scope, b"authorization")


@says("subprotocol")
def no_subprotocol_is_selected(event, scope):
    yield event | {"subprotocol": None} if event["type"] == "websocket.accept" else event


@says("subprotocol")
def token_is_sent_back(event, scope):
    offered = scope["subprotocols"]
    is_offered = event["type"] == "websocket.accept" and offered
    yield event | {"subprotocol": offered[1]} if is_offered else event


@refuses("query")
def token_in_query_is_refused(scope):
    return b"token=" in scope["query_string"]


@sees("two_tokens")
def first_of_two_tokens_wins(scope):
    return dict(scope, subprotocols=[]) if token_in(scope) else scope


@refuses("no_token")
def client_without_token_gets_403(scope):
    has_header = header(scope, b"authorization")
    return not (has_header or scope["subprotocols"] or scope["query_string"])


@says("malformed")
def refusal_has_no_reason(event, scope):
    is_malformed = token_in(scope) == "no-token"
    yield changed(event, "connection.closing", reason="") if is_malformed else event


@says("malformed")
def refusal_is_not_the_last_frame(event, scope):
    yield event
    if token_in(scope) == "no-token" and frame_in(event)["type"] == "connection.closing":
        yield PONG


def believed(scope):
    """Return a scope with the token signed anew, whatever it claims."""
    claims = json.loads(base64url_decode(token_in(scope).split(".")[1]))
    bearer = (b"authorization", f"Bearer {sign(claims)}".encode())
    return dict(scope, headers=[*without(scope, b"authorization")["headers"], bearer])


def algorithm(scope):
    """Return the algorithm that a token names, or None where it is no JWT."""
    first, dot, _ = token_in(scope).partition(".")
    return json.loads(base64url_decode(first))["alg"] if dot else None


@sees("tampered")
def signature_is_not_verified(scope):
    return believed(scope) if algorithm(scope) == "RS256" else scope


@sees("unsigned")
def algorithm_none_is_accepted(scope):
    return believed(scope) if algorithm(scope) == "none" else scope


@refuses("long")
def long_header_is_refused(scope):
    return len(token_in(scope)) > 8_000


# Messages.


@says("greeting")
def greeting_is_late(event, scope):
    if frame_in(event)["type"] == "connection.established":
        yield event_of({"type": "welcome"})
    yield event


@says("greeting")
def greeting_lacks_a_key(event, scope):
    yield changed(event, "connection.established", expires_at=None)


@says("greeting")
def greeting_comes_twice(event, scope):
    yield event
    if frame_in(event)["type"] == "connection.established":
        yield event


@says("ping")
def timestamp_becomes_text(event, scope):
    yield changed(event, "pong", timestamp=str(frame_in(event).get("timestamp")))


@says("unknown_type")
def unknown_type_closes(event, scope):
    yield event
    if frame_in(event).get("code") == "unknown_type":
        yield CLOSE


@hears("no_json")
def nan_is_echoed(text, event):
    if "NaN" in text:
        return {"type": "websocket.send", "text": '{"type": "pong", "timestamp": NaN}'}


@hears("binary")
def binary_is_echoed(text, event):
    if event.get("bytes"):
        return {"type": "websocket.send", "bytes": event["bytes"]}


@hears("too_large")
def large_message_closes(text, event):
    return CLOSE if len(text) > 500_000 else None


@hears("too_deep")
def deep_message_is_taken(text, event):
    return PONG if text.count("[") > 64 else None


@says("new_token")
def new_token_is_refused(event, scope):
    if frame_in(event)["type"] == "token.refreshed":
        event = event_of({"type": "error", "code": "token_refused", "message": "No."})
    yield event


@says("token_of_another_user")
def token_of_any_user_is_taken(event, scope):
    if frame_in(event).get("code") == "token_refused":
        event = event_of({"type": "token.refreshed", "expires_at": "2100-01-01T00:00:00+00:00"})
    yield event


@says("read_mark")
def read_mark_has_no_offset(event, scope):
    yield changed(event, "notifications.read", offset=None)


# Streams.


@refuses("stranger")
def stranger_gets_403(scope):
    return "/events/" in scope["path"]


@says("stranger")
def stranger_may_come_back(event, scope):
    is_stranger = frame_in(event).get("code") == 4003
    yield changed(event, "connection.closing", reconnect=True) if is_stranger else event


@says("known_position")
def no_client_is_recovered(event, scope):
    is_known = frame_in(event).get("recovered")
    yield changed(event, "connection.established", recovered=False) if is_known else event


@says("unknown_position")
def every_client_is_recovered(event, scope):
    is_unknown = frame_in(event).get("recovered") is False
    yield changed(event, "connection.established", recovered=True) if is_unknown else event


numbers = itertools.count()


@says("delivered")
def every_second_socket_is_deaf(event, scope):
    if "number" not in scope:
        scope["number"] = 0 if scope["query_string"] else next(numbers)
    if scope["number"] % 2 == 0 or frame_in(event)["type"] != "notification":
        yield event


@says("delivered")
def sockets_are_told_different_things(event, scope):
    scope.setdefault("number", next(numbers))
    told = {"number": scope["number"]}
    yield event if scope["query_string"] else changed(event, "notification", notification=told)


@says("delivered")
def offsets_skip(event, scope):
    offset = 2 * frame_in(event).get("offset", 0)
    yield event if scope["query_string"] else changed(event, "notification", offset=offset)


@says("replayed")
def nothing_is_replayed(event, scope):
    if b"position=" not in scope["query_string"] or frame_in(event)["type"] != "notification":
        yield event


@sees("history")
def history_is_not_sent(scope):
    return dict(scope, query_string=scope["query_string"].replace(b"since=", b"before="))


# Limits, and time.


@hears("errors_in_a_row")
def errors_have_no_end(text, event):
    is_bad = text == "{"
    return event_of({"type": "error", "code": "malformed", "message": "No."}) if is_bad else None


@hears("messages_at_once")
def flood_is_answered(text, event):
    return PONG if text == json.dumps({"type": "ping", "timestamp": None}) else None


@says("messages_at_once")
def flood_is_told_no_time(event, scope):
    is_flood = frame_in(event).get("code") == 4113
    yield changed(event, "connection.closing", retry_after_ms=0) if is_flood else event


@breaks("idle")
async def idle_socket_is_closed(scope, receive, send):
    """Close a socket that has not been heard of for five seconds after its handshake."""
    heard = asyncio.Event()

    async def noting_receive():
        event = await receive()
        if event["type"] != "websocket.connect":
            heard.set()
        return event

    async def close():
        try:
            await asyncio.wait_for(heard.wait(), 5)
        except TimeoutError:
            await send(CLOSE)

    closing = asyncio.create_task(close())
    await whole(scope, noting_receive, send)
    closing.cancel()
