"""Keys at the address that the issuer's discovery document names, and documents that are wrong."""

import jwt
import pytest

from realtime.identity import errors, keys, tokens
from realtime.identity.key_client import DiscoveringKeyClient, keys_url_in
from tests.app.issuer import Issuer, use_keys_of

ISSUER = "https://id.example.com/tenant"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def issuer(settings):
    issuer = Issuer()
    issuer.make_key("first")
    issuer.document = {"issuer": issuer.origin, "jwks_uri": f"{issuer.origin}/v1/keys"}
    # The claim by which tests/app/issuer.py makes access tokens is that of Keycloak.
    own = {"PROFILE": "okta", "TOKEN_TYPE_CLAIM": "typ", "TOKEN_TYPE": "Bearer"}
    use_keys_of(settings, ISSUER=issuer.origin, **own)
    yield issuer
    issuer.close()


def verdict(issuer: Issuer, **claims: str) -> str | None:
    try:
        tokens.verify(issuer.token("first", **({"iss": issuer.origin} | claims)))
    except errors.TokenError as error:
        return error.code
    return None


def test_keys_are_found_where_the_issuer_says(issuer):
    assert verdict(issuer) is None
    assert issuer.paths == [DISCOVERY, "/v1/keys"]


def test_known_keys_need_no_second_discovery(issuer):
    assert [verdict(issuer) for _ in range(5)] == [None] * 5
    assert issuer.fetches == 2


def test_issuer_may_move_its_keys(issuer, monkeypatch):
    assert verdict(issuer) is None
    issuer.document["jwks_uri"] = f"{issuer.origin}/v2/keys"
    monkeypatch.setattr(tokens.issuer_keys(), "fetched_at", -keys.LIFESPAN)
    monkeypatch.setattr(tokens.issuer_keys(), "tried_at", -keys.LIFESPAN)
    assert verdict(issuer) is None
    assert issuer.paths[2:] == [DISCOVERY, "/v2/keys"]


def test_address_that_the_project_names_is_not_asked_for(issuer, settings):
    use_keys_of(settings, KEYS_URL=f"{issuer.origin}/named")
    assert verdict(issuer) is None
    assert issuer.paths == ["/named"]


def test_issuer_with_a_slash_has_its_document_below_it(issuer, settings):
    """As Auth0's: the slash is dropped for the address (4.1), and compared (4.3)."""
    with_slash = f"{issuer.origin}/tenant/"
    use_keys_of(settings, ISSUER=with_slash)
    assert verdict(issuer, iss=with_slash) == "keys_unavailable"
    assert issuer.paths == [f"/tenant{DISCOVERY}"]
    issuer.document["issuer"] = with_slash
    tokens.issuer_keys().tried_at = -keys.RETRY
    assert verdict(issuer, iss=with_slash) is None


def test_document_of_another_issuer_names_no_keys(issuer, caplog):
    issuer.document["issuer"] = "https://evil.example"
    assert verdict(issuer) == "keys_unavailable"
    assert issuer.paths == [DISCOVERY]
    assert "the discovery document is that of 'https://evil.example'" in caplog.text


def test_issuer_that_drips_is_given_up_at_one_deadline_for_both_answers(issuer):
    """Each of the two answers takes 0.51 s, so that it would come in time alone."""
    length = len(issuer.answer_to("/v1/keys"))
    issuer.document["padding"] = "x" * (length - len(issuer.answer_to(DISCOVERY)))
    issuer.pause = 0.51 / length
    with pytest.raises(jwt.PyJWKClientConnectionError, match=r"no answer in 1 s"):
        DiscoveringKeyClient(issuer.origin, timeout=1).fetch_data()


WRONG = {
    "another issuer": {"issuer": "https://evil.example", "jwks_uri": f"{ISSUER}/keys"},
    "a slash more": {"issuer": f"{ISSUER}/", "jwks_uri": f"{ISSUER}/keys"},
    "no issuer": {"jwks_uri": f"{ISSUER}/keys"},
    "no keys": {"issuer": ISSUER},
    "keys without TLS": {"issuer": ISSUER, "jwks_uri": "http://id.example.com/keys"},
    "keys in a file": {"issuer": ISSUER, "jwks_uri": "file:///etc/keys"},
    "a number": {"issuer": ISSUER, "jwks_uri": 7},
    "a list": ["issuer"],
    "nothing": None,
}


@pytest.mark.parametrize("document", WRONG.values(), ids=WRONG)
def test_document_that_is_wrong_gives_no_address(document):
    with pytest.raises(ValueError, match="the discovery document"):
        keys_url_in(document, ISSUER)


def test_keys_may_be_on_another_host_and_without_tls_only_where_the_issuer_is():
    """Google's are on another host; an issuer on a laptop has no TLS."""
    elsewhere = {"issuer": ISSUER, "jwks_uri": "https://keys.example.net/v1"}
    assert keys_url_in(elsewhere, ISSUER) == "https://keys.example.net/v1"
    local = {"issuer": "http://localhost:9000", "jwks_uri": "http://localhost:9000/jwks"}
    assert keys_url_in(local, "http://localhost:9000") == "http://localhost:9000/jwks"
