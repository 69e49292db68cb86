"""Checks a deployment against the wire contract, over the wire only.

    python -m realtime.conformance wss://host/ws/… --token … --other-token …

`__main__.py` prints a row for each promise. Each module of `families.py` holds the checks of one
kind. A check is a function, and the first sentence of its docstring is the promise.

It does no harm to a deployment in production. It uses the two tokens that it is given, has two
sockets open at most (`--sockets` opens more), sends five messages a second at most except to reach
the message rate of one socket, signs no one out, and closes everything.
"""
