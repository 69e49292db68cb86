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
            return json.loads(loop.run_until_complete(self._read_in_time()))
        except TimeoutError:
            raise jwt.PyJWKClientConnectionError(f"no answer in {self.timeout} s") from None
        except (httpx.HTTPError, ValueError) as error:
            raise jwt.PyJWKClientConnectionError(str(error) or repr(error)) from error
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            # Not by `asyncio.run`, which would wait for a name server that does not answer.
            loop.close()

    async def _read_in_time(self) -> bytes:
        async with asyncio.timeout(self.timeout):
            return await self._read()

    async def _read(self) -> bytes:
        """Read the answer.

        A redirect is an error, as in PyJWT: it could lead anywhere.
        """
        # The machine's own certificates, as with PyJWT; those of httpx know no company's issuer.
        context = self.ssl_context or ssl.create_default_context()
        body = b""
        async with (
            httpx.AsyncClient(verify=context, headers=self.headers, timeout=None) as client,
            client.stream("GET", self.uri) as response,
        ):
            response.raise_for_status()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise ValueError(f"the answer has more than {LARGEST} bytes")
        return body
