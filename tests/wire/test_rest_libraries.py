"""Views of Django REST framework and Django Ninja on a real server."""

import asyncio

import pytest

from devrealm.issue import access_token
from tests.app.rest_site import LIBRARIES
from tests.wire.servers import COMMANDS, serving

pytestmark = pytest.mark.full

SETTINGS = "tests.wire.variants.rest_libraries"


@pytest.fixture(scope="module", params=["realtime.server", "uvicorn"])
def server(request, environment):
    changed = environment | {"DJANGO_SETTINGS_MODULE": SETTINGS}
    with serving([*COMMANDS[request.param], "config.asgi:application"], **changed) as server:
        yield server


@pytest.mark.parametrize("path", LIBRARIES.values(), ids=LIBRARIES)
async def test_view_of_a_library_takes_and_refuses_tokens(server, path):
    async with server.requests() as http:

        async def get(**headers):
            return await http.get(path, headers=headers)

        good, bad = (f"Bearer {access_token('alice', lifespan=each)}" for each in (300, -60))
        answers = await asyncio.gather(*(get(Authorization=good) for _ in range(15)))
        assert {answer.text for answer in answers if answer.status_code != 200} == set()
        assert {answer.json()["email"] for answer in answers} == {"alice@example.com"}
        refused, stranger = await get(Authorization=bad), await get()
    assert (refused.status_code, refused.json()["error"]) == (401, "token_expired")
    reason = 'error="invalid_token", error_description="The token has expired."'
    assert refused.headers["WWW-Authenticate"] == f"Bearer {reason}"
    assert (stranger.status_code, stranger.headers["WWW-Authenticate"]) == (401, "Bearer")
