"""What goes over the wire of the guide's hook and of the demo page: what notebook 12 draws."""

from tests.browser.sessions import two_sessions
from tests.record import Record
from tests.wire.fixtures import layer_on, use_database


async def test_guides_hook_and_the_page_live_through_a_restart_as_the_notebook_says(
    browser, start_app, redis_port, shared_database, database, pytestconfig
):
    app = start_app(DATABASE_URL=database)
    with use_database(database):
        async with layer_on(redis_port):
            seen = await two_sessions(browser, app)
    Record("page_in_chromium.json", pytestconfig).holds("sessions", seen=seen)
