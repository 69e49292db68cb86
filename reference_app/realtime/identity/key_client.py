"""Fetches the issuer's keys by one deadline for all of it.

PyJWT's own client has a timeout for each read, so an issuer that sends one byte a second would hold
it for hours.
"""

import asyncio
import json
import ssl
from typing import Any

import httpx
import jwt

# Bytes. Keycloak's key set has 3,000.
LARGEST = 1_000_000


class KeyClient(jwt.PyJWKClient):
    """Gets a key set within `timeout` seconds, whatever the issuer sends."""

    def fetch_data(self) -> Any:
        """Return the parsed key set.

        Raises PyJWKClientError where there is none in time.
        """
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(self._read_in_time())
        except TimeoutError:
            raise jwt.PyJWKClientConnectionError(f"no answer in {self.timeout} s") from None
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise jwt.PyJWKClientConnectionError(str(error) or repr(error)) from error
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            # Not by `asyncio.run`, which would wait for a name server that does not answer.
            loop.close()

    async def _read_in_time(self) -> Any:
        # The machine's own certificates, as with PyJWT; those of httpx know no company's issuer.
        context = self.ssl_context or ssl.create_default_context()
        async with (
            asyncio.timeout(self.timeout),
            httpx.AsyncClient(verify=context, headers=self.headers, timeout=None) as client,
        ):
            return await self._read_keys(client)

    async def _read_keys(self, client: httpx.AsyncClient) -> Any:
        return await read_json(client, self.uri)


class DiscoveringKeyClient(KeyClient):
    """Gets the key set from where the issuer says that it is (OpenID Connect Discovery 1.0, 4).

    It asks again for every fetch, so that an issuer may move its keys.
    """

    def __init__(self, issuer: str, **options: Any):
        super().__init__(f"{issuer.rstrip('/')}/.well-known/openid-configuration", **options)
        self.issuer = issuer

    async def _read_keys(self, client: httpx.AsyncClient) -> Any:
        return await read_json(client, keys_url_in(await read_json(client, self.uri), self.issuer))


def keys_url_in(document: Any, issuer: str) -> str:
    """Return the address of the keys in an issuer's discovery document.

    Raises ValueError where the document is another issuer's (4.3), or the address less safe.
    """
    named = document.get("issuer") if isinstance(document, dict) else None
    if named != issuer:
        raise ValueError(f"the discovery document is that of {named!r:.200}, and not of {issuer!r}")
    url = document.get("jwks_uri")
    schemes = ("https://",) if issuer.startswith("https://") else ("https://", "http://")
    if not (isinstance(url, str) and url.startswith(schemes)):
        raise ValueError(f"the discovery document has {url!r:.200} as jwks_uri, which is no https")
    return url


async def read_json(client: httpx.AsyncClient, url: str) -> Any:
    """Return the parsed answer of an address.

    A redirect is an error, as in PyJWT: it could lead anywhere.
    """
    body = b""
    async with client.stream("GET", url) as response:
        response.raise_for_status()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > LARGEST:
                raise ValueError(f"the answer has more than {LARGEST} bytes")
    return json.loads(body)
