"""One verdict on every token of the zoo, whether it comes to the REST API or to a socket."""

import pytest
from django.test import AsyncClient

from devrealm.accounts import PEOPLE
from devrealm.zoo import ZOO
from realtime.protocol.close_codes import CloseCode
from tests.app.dialogue import NOTIFICATIONS, established, socket

# Cancelling a read of the core layer in process waits the read out, 5 s.
pytestmark = [
    pytest.mark.usefixtures("people", "layer"),
    pytest.mark.parametrize("layer", ["pubsub"], indirect=True),
]

BAD = sorted(set(ZOO) - {"valid"})


def get_me(token):
    return AsyncClient().get("/api/me/", headers={"Authorization": f"Bearer {token}"})


async def test_good_token_is_alices_to_both():
    token = ZOO["valid"]()
    answer = await get_me(token)
    async with established(NOTIFICATIONS, token=token) as alice:
        assert alice.greeting["user_id"] == PEOPLE["alice"].subject
    assert (answer.status_code, answer.json()["user_id"]) == (200, PEOPLE["alice"].subject)


@pytest.mark.parametrize("name", BAD)
async def test_bad_token_is_refused_by_both_in_the_same_words(name):
    token = ZOO[name]()
    answer = await get_me(token)
    async with socket(NOTIFICATIONS, token=token) as client:
        closing = await client.receive()
        assert await client.closed() == CloseCode.UNAUTHORIZED
    assert (closing["type"], closing["code"]) == ("connection.closing", CloseCode.UNAUTHORIZED)
    assert answer.status_code == 401
    assert set(answer.json()) == {"error", "message"}
    assert answer.json()["error"]
    assert closing["reason"] == answer.json()["message"]
