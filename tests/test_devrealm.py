from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client

from devrealm import keys

REALM = "/realms/demo"
TOKEN = f"{REALM}/protocol/openid-connect/token"
FORM = {"grant_type": "password", "client_id": "web", "username": "alice", "password": "alice"}


def test_discovery_leads_to_the_other_endpoints(settings):
    document = Client().get(f"{REALM}/.well-known/openid-configuration").json()
    assert document["issuer"] == settings.KEYCLOAK_ISSUER
    assert document["token_endpoint"] == settings.KEYCLOAK_ISSUER.replace(REALM, TOKEN)
    assert document["jwks_uri"].endswith(f"{REALM}/protocol/openid-connect/certs")


def test_token_for_a_password_is_verified_by_the_published_keys(settings):
    answer = Client(enforce_csrf_checks=True).post(TOKEN, FORM).json()
    certs = Client().get(f"{REALM}/protocol/openid-connect/certs").json()
    key = jwt.PyJWKSet.from_dict(certs)[jwt.get_unverified_header(answer["access_token"])["kid"]]
    claims = jwt.decode(answer["access_token"], key, audience=settings.KEYCLOAK_AUDIENCE)
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 300
    assert (claims["typ"], claims["azp"], claims["preferred_username"]) == (
        "Bearer",
        "web",
        "alice",
    )
    assert {"jti", "iss", "sub", "sid", "acr", "scope", "realm_access", "email"} <= set(claims)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"password": "wrong"}, 401, "invalid_grant"),
        ({"username": "nobody", "password": "nobody"}, 401, "invalid_grant"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_form_is_refused_in_keycloaks_words(change, status, error):
    answer = Client().post(TOKEN, FORM | change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_key_is_made_once_however_many_ask(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: keys.signing_key.__wrapped__(), range(4)))
    assert len({key.private_numbers().p for key in made}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["devrealm.pem"]
    assert (tmp_path / "devrealm.pem").stat().st_mode & 0o077 == 0


def test_check_lets_it_pass_and_deployment_check_refuses_it(capsys):
    call_command("check")
    with pytest.raises(SystemCheckError, match="devrealm.E001"):
        call_command("check", deploy=True)
