"""The router of the sockets."""

from channels.routing import URLRouter
from django.urls import re_path

from .sockets.origins import refuse_handshake


class SocketRouter(URLRouter):
    """Passes a handshake to the first route that matches its path, and refuses the others.

    Channels' own router raises ValueError for a path without a route, which a client sees as HTTP
    500. Here it is HTTP 403. No list of routes ends with a route for the rest, so the lists of
    several apps can be joined in any order.
    """

    def __init__(self, routes):
        super().__init__([*routes, re_path("", refuse_handshake)])
