"""The demo page where a real Keycloak signs people in: by authorization code and PKCE."""

import contextlib
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from devrealm.accounts import PEOPLE
from devrealm.issue import CLIENT_ID
from tests import settings as test_settings
from tests.browser.chromium import fixture
from tests.browser.conftest import starting
from tests.browser.demo_page import SOCKETS, flawless, session, shows, status, url
from tests.wire.keycloak import copied_realm, join, real_realm
from tests.wire.servers import eventually, free_port

ISSUER = getattr(test_settings, "REAL_KEYCLOAK", None)
pytestmark = pytest.mark.skipif(
    not ISSUER, reason='needs a Keycloak: variables=$(.ci/keycloak) && eval "$variables"'
)

# What Chromium itself writes to the console about an answer that the page reads and explains.
REFUSED = re.compile("Failed to load resource|Access to fetch at .+ blocked by CORS policy")

# Seconds: of an access token, and of the notice that the app gives before it ends.
LIFESPAN, NOTICE = 3, 1


@pytest.fixture(scope="module")
def issuer():
    """A realm of these tests' own: they end its sessions, and set things wrong."""
    with copied_realm(ISSUER) as issuer:
        yield issuer


@fixture
async def realm(issuer):
    async with real_realm(issuer) as realm:
        yield realm


@pytest.fixture(scope="module")
def usual(issuer):
    """The settings of an app that is set up for the realm."""
    return {
        "KEYCLOAK_ISSUER": issuer,
        "KEYCLOAK_AUDIENCE": "reference-app",
        "KEYCLOAK_CLIENT_ID": CLIENT_ID,
        "REALTIME_EXPIRY_NOTICE_SECONDS": str(NOTICE),
    }


@pytest.fixture
def start(start_app, usual):
    """Return a function that starts the app, set up for the realm but for what a test says."""

    def start_one(**settings):
        return start_app(**usual | settings)

    return start_one


@pytest.fixture(scope="module")
def shared_app(environment, redis_port, usual):
    """The app for all tests in which nothing is set wrong."""
    with starting(environment, redis_port) as start_one:
        yield start_one(**usual)


@fixture
async def app(shared_app, realm, members, begun):
    """The app as the realm knows it, which sends people back to it and tells it who has left."""
    calls = {"backchannel.logout.url": f"{url(shared_app)}api/backchannel-logout/"}
    async with realm.client_with(calls, redirectUris=[url(shared_app)]):
        yield shared_app


@fixture
async def members(issuer, realm, shared_database):
    """Alice and Bob of this realm, members of the organization."""
    for username in ("alice", "bob"):
        await join(issuer, await realm.subject_of(username))


async def ask_to_sign_in(page):
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def fill_in(page, username):
    """Sign in with Keycloak's own form; in a realm with organizations it has two pages."""
    await page.get_by_label("Username or email").fill(username)
    await page.keyboard.press("Enter")
    await page.get_by_label("Password", exact=True).fill(username)
    await page.keyboard.press("Enter")


async def is_connected(page, person):
    for socket in SOCKETS:
        await shows(status(session(page, person), socket), "Connected")


async def sign_in(page, app, username):
    """Sign in, and wait until both sockets are open."""
    await page.goto(url(app))
    await ask_to_sign_in(page)
    await fill_in(page, username)
    await is_connected(page, PEOPLE[username].given_name)


def notifications(page):
    return page.get_by_role("list", name="Notifications").locator("strong")


def alert(page):
    return page.get_by_role("alert")


async def test_keycloaks_form_signs_in_and_leaves_no_trace_in_the_page(browser, app):
    async with flawless(browser) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        await sign_in(page, app, "alice")
        assert page.url == url(app)
        kept = "() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]"
        assert await page.evaluate(kept) == [[], [], ""]
    [authorization] = [urlsplit(each) for each in asked if "/auth?" in each]
    query = parse_qs(authorization.query)
    assert (query["response_type"], query["code_challenge_method"]) == (["code"], ["S256"])


async def test_page_that_is_loaded_again_signs_in_without_the_form(browser, app):
    async with flawless(browser) as page:
        await sign_in(page, app, "alice")
        await page.reload()
        await ask_to_sign_in(page)
        await is_connected(page, "Alice")


async def test_two_people_see_their_own_notifications_only(browser, app):
    async with flawless(browser) as alice, flawless(browser) as bob:
        for page, username in ((alice, "alice"), (bob, "bob")):
            await sign_in(page, app, username)
        for page, name in ((alice, "Alice"), (bob, "Bob")):
            await page.get_by_role("button", name="Notify me").click()
            await shows(notifications(page), f"Hello, {name}")
        assert await notifications(alice).all_text_contents() == ["Hello, Alice"]
        assert await notifications(bob).all_text_contents() == ["Hello, Bob"]


def sockets_of(page):
    """Return a list that will hold, of each socket of a page, the types of the frames it gets."""
    sockets = []

    def opened(socket):
        sockets.append([])
        types = sockets[-1]
        socket.on("framereceived", lambda text: types.append(json.loads(text)["type"]))

    page.on("websocket", opened)
    return sockets


async def test_token_that_expires_is_renewed_under_the_open_sockets(browser, app, realm):
    short = {"access.token.lifespan": str(LIFESPAN)}
    async with realm.client_with(short), flawless(browser) as page:
        sockets = sockets_of(page)
        await sign_in(page, app, "alice")
        await eventually(lambda: all(types.count("token.refreshed") > 1 for types in sockets))
        await page.get_by_role("button", name="Notify me").click()
        await shows(notifications(page), "Hello, Alice")
        assert len(sockets) == len(SOCKETS)
        assert {"error", "connection.closing"}.isdisjoint(sum(sockets, []))


async def test_session_that_the_administrator_ends_is_over_and_another_can_begin(
    browser, app, realm
):
    async with flawless(browser, REFUSED) as page:
        await sign_in(page, app, "alice")
        await realm.end_sessions_of(await realm.subject_of("alice"))
        await shows(alert(page), "The session has ended.")
        await page.get_by_role("button", name="Sign in again").click()
        await fill_in(page, "alice")
        await is_connected(page, "Alice")


async def test_sign_out_ends_the_session_in_every_tab(browser, app):
    async with contextlib.AsyncExitStack() as stack:
        context = await browser.new_context()
        stack.push_async_callback(context.close)
        # Where Keycloak's answer is slow, this one's sockets have closed before it has left.
        page = await stack.enter_async_context(flawless(context, REFUSED))
        other = await stack.enter_async_context(flawless(context, REFUSED))
        await sign_in(page, app, "alice")
        await other.goto(url(app))
        await ask_to_sign_in(other)
        await is_connected(other, "Alice")
        await page.get_by_role("button", name="Sign out").click()
        await shows(page.get_by_role("region", name="Sign in"), "Nobody is signed in")
        assert page.url == url(app)
        await shows(alert(other), "The session has ended.")
        for socket in SOCKETS:
            await shows(status(session(other, "Alice"), socket), "Sign in again.")
        await shows(other.get_by_role("list", name="Frames"), "4001 UNAUTHORIZED")
        await ask_to_sign_in(page)
        await fill_in(page, "bob")
        await is_connected(page, "Bob")


# What is set wrong


SETTINGS = {
    "Keycloak that does not run": (
        lambda issuer: {"KEYCLOAK_ISSUER": f"http://127.0.0.1:{free_port()}/realms/demo"},
        "No Keycloak realm answers at {KEYCLOAK_ISSUER}: "
        "start Keycloak, or correct KEYCLOAK_ISSUER.",
    ),
    "realm that is not there": (
        lambda issuer: {"KEYCLOAK_ISSUER": f"{issuer}s"},
        "No Keycloak realm answers at {KEYCLOAK_ISSUER}: "
        "start Keycloak, or correct KEYCLOAK_ISSUER.",
    ),
    "another name of the host": (
        lambda issuer: {"KEYCLOAK_ISSUER": issuer.replace("localhost", "127.0.0.1")},
        "and not as {KEYCLOAK_ISSUER}: correct KEYCLOAK_ISSUER.",
    ),
    "client that is not there": (
        lambda issuer: {"KEYCLOAK_ISSUER": issuer, "KEYCLOAK_CLIENT_ID": "nobody"},
        "Keycloak has no public client “nobody” in {KEYCLOAK_ISSUER}: "
        "make one there, or correct KEYCLOAK_CLIENT_ID.",
    ),
}


@pytest.mark.parametrize(("wrong", "sentence"), SETTINGS.values(), ids=SETTINGS)
async def test_wrong_setting_of_the_app_is_named_with_its_cure(
    browser, start, issuer, wrong, sentence
):
    settings = wrong(issuer)
    app = start(**settings)
    async with flawless(browser, REFUSED) as page:
        await page.goto(url(app))
        await ask_to_sign_in(page)
        await shows(alert(page), sentence.format(**settings))
        assert page.url == url(app)


CLIENTS = {
    "origin": (
        lambda app: {"redirectUris": [url(app)], "webOrigins": []},
        "Keycloak answers no page of {origin}: add it to the “Web origins” of the client “web”.",
    ),
    "redirect URI": (
        lambda app: {"webOrigins": [url(app).rstrip("/")]},
        "Keycloak sends nobody back to {origin}/: "
        "add it to the “Valid redirect URIs” of the client “web”.",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), CLIENTS.values(), ids=CLIENTS)
async def test_wrong_setting_of_the_client_is_named_with_its_cure(
    browser, start, realm, changes, sentence
):
    app = start()
    async with realm.client_with(**changes(app)), flawless(browser, REFUSED) as page:
        await page.goto(url(app))
        await ask_to_sign_in(page)
        await shows(alert(page), sentence.format(origin=url(app).rstrip("/")))
        assert page.url == url(app)


async def test_page_without_its_adapter_says_so_and_stays(browser, start, realm):
    app = start()
    async with flawless(browser, REFUSED) as page:
        await page.route("**/keycloak.js", lambda route: route.abort())
        await page.goto(url(app))
        await shows(alert(page), "The part of the page that signs in at Keycloak is missing")
        await ask_to_sign_in(page)
        await shows(alert(page), "load it again.")
        assert page.url == url(app)


async def test_code_that_cannot_be_redeemed_is_explained_and_tried_once(
    browser, app, realm, issuer
):
    async with flawless(browser, REFUSED) as page:
        asked = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        await page.goto(url(app))
        await ask_to_sign_in(page)
        await page.wait_for_url(f"{issuer}/**")
        async with realm.client_with(webOrigins=[]):
            await fill_in(page, "alice")
            await shows(alert(page), "add it to the “Web origins” of the client “web”.")
        assert page.url == url(app)
        assert len([path for path in asked if path.endswith("/token")]) == 1
        await ask_to_sign_in(page)
        await is_connected(page, "Alice")
