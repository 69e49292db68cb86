"""A server whose issuer is no Keycloak, and one whose issuer is described wrongly."""

import json

import pytest

from realtime.protocol.close_codes import CloseCode
from tests.app.issuer import Issuer
from tests.wire.servers import COMMANDS, serving

pytestmark = pytest.mark.full

PATH, ME = "/ws/notifications/", "/api/me/"


@pytest.fixture
def issuer():
    issuer = Issuer()
    issuer.make_key("first")
    # As Auth0's, it ends with a slash.
    issuer.document = {"issuer": f"{issuer.origin}/", "jwks_uri": f"{issuer.origin}/jwks.json"}
    yield issuer
    issuer.close()


@pytest.fixture
def start(issuer, environment):
    def start(**parts):
        changed = {
            "DJANGO_SETTINGS_MODULE": "tests.wire.variants.other_issuer",
            "KEYCLOAK_ISSUER": f"{issuer.origin}/",
            "KEYCLOAK_AUDIENCE": "reference-app",
            "ISSUER_PARTS": json.dumps({"PROFILE": "auth0"} | parts),
        }
        command = [*COMMANDS["realtime.server"], "config.asgi:application"]
        return serving(command, **environment | changed)

    return start


async def test_access_token_of_another_issuer_opens_a_socket_and_its_id_token_does_not(
    issuer, start, connect
):
    access = issuer.token("first", iss=f"{issuer.origin}/")
    id_token = issuer.token("first", iss=f"{issuer.origin}/", nonce="n-0S6_WzA2Mj")
    with start() as server:
        alice = await connect(server, PATH, token=access)
        assert (await alice.receive())["type"] == "connection.established"
        refused = await connect(server, PATH, token=id_token)
        closing = await refused.receive()
        assert closing["code"] == CloseCode.UNAUTHORIZED
        assert closing["reason"] == "The token is not an access token."
        async with server.requests() as http:
            answer = await http.get(ME, headers={"Authorization": f"Bearer {access}"})
            assert answer.status_code == 200
    assert issuer.paths == ["/.well-known/openid-configuration", "/jwks.json"]


async def test_wrong_setting_is_no_outage_of_the_issuer(issuer, start, connect):
    token = issuer.token("first", iss=f"{issuer.origin}/")
    with start(ALGORITHMS=["RS256", "HS256"]) as server:
        refused = await connect(server, PATH, token=token)
        closing = await refused.receive()
        assert closing["code"] == CloseCode.UNAVAILABLE
        assert closing["reason"] == "The server cannot verify tokens."
        async with server.requests() as http:
            answer = await http.get(ME, headers={"Authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.json()["message"]) == (503, closing["reason"])
    assert issuer.paths == []
