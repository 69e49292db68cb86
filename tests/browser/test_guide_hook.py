"""The guide's JavaScript, word for word, in Chromium: what it logs to the console."""

from classroom import token
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE

# As the guide prints them, but for the server, the token, and the socket's name.
NOTIFICATIONS = """
const ws = new WebSocket('ws://localhost:8000/ws/notifications/?token=YOUR_JWT_TOKEN');

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);

  if (data.type === 'connection.established') {
    console.log('Connected:', data.message);
    console.log('User ID:', data.user_id);
  }

  if (data.type === 'notification') {
    console.log('Notification:', data.notification);
    // data.notification contains: { title, body, timestamp, ... }
  }
};
"""
EVENTS = """
const orgId = '123e4567-e89b-12d3-a456-426614174000';
const ws = new WebSocket(`ws://localhost:8000/ws/events/${orgId}/?token=YOUR_JWT_TOKEN`);

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);

  if (data.type === 'connection.established') {
    console.log('Connected to org:', data.org_id);
  }

  if (data.type === 'event') {
    console.log('Event type:', data.event_type);
    console.log('Event data:', data.data);
    // Example: event_type = "user.joined", data = { user_id, user_email, timestamp }
  }
};
"""


async def logged(page, server, script, cause):
    """Run the script, call `cause` once it has connected, and return what it logged."""
    lines = []
    page.on("console", lambda message: message.type == "log" and lines.append(message.text))
    script = script.replace("localhost:8000", server.address)
    script = script.replace("YOUR_JWT_TOKEN", token("alice"))
    async with page.expect_console_message(lambda message: "Connected" in message.text):
        await page.evaluate(f"() => {{{script}}}")
    async with page.expect_console_message(lambda message: message.text.startswith(LAST)):
        await cause()
    return lines


LAST = ("Notification:", "Event data:")


async def post(server, path, body):
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with server.requests(headers=headers) as http:
        (await http.post(path, json=body)).raise_for_status()


async def test_guides_notification_client_logs_what_it_says(page, server):
    lines = await logged(
        page,
        server,
        NOTIFICATIONS,
        lambda: post(server, "/api/me/notifications/", {"title": "Hello"}),
    )
    assert lines == [
        "Connected: Connected to your notifications.",
        f"User ID: {PEOPLE['alice'].subject}",
        "Notification: {title: Hello}",
    ]


async def test_guides_event_client_logs_what_it_says(page, server):
    path = f"/api/organizations/{ORG_ID}/resources/"
    lines = await logged(page, server, EVENTS, lambda: post(server, path, {"name": "Plan"}))
    assert lines[:2] == [f"Connected to org: {ORG_ID}", "Event type: resource.created"]
    assert lines[2].startswith("Event data: {resource_id: ")
