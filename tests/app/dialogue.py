"""A socket without a server: `WebsocketCommunicator` on the whole application.

It proves logic and flatters behavior: what clients see of the same is in `tests/wire/`.
"""

from config.asgi import application
from demo.people import ORG_ID
from devrealm.issue import access_token
from realtime.testing.dialogue import Visitors

NOTIFICATIONS, EVENTS = "/ws/notifications/", f"/ws/events/{ORG_ID}/"

visitors = Visitors(application, access_token)
socket, established, resumed = visitors.socket, visitors.established, visitors.resumed
