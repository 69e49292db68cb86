"""Who may open a socket: from which page, and at which path."""

from .deployment import Deployment
from .registry import check
from .results import FailedError, NotCheckedError

BY_VALIDATOR = "put AllowedOriginsValidator around the WebSocket application"


@check("install the whole chain of a certificate for this host, or name your own in SSL_CERT_FILE")
async def trusted(deployment: Deployment) -> None:
    """The address has TLS, and a certificate that clients trust."""
    if deployment.options.url.scheme == "ws":
        raise NotCheckedError("The address begins with ws://.")
    if deployment.tls_fault:
        raise FailedError("a certificate that is trusted", deployment.tls_fault)


@check("see which origin the server's log calls its own, and name the proxy's headers in settings")
async def own_page(deployment: Deployment) -> None:
    """A page of the deployment itself may open a socket."""
    async with deployment.greeted(origin=deployment.own_origin):
        pass


@check(BY_VALIDATOR)
async def foreign_page(deployment: Deployment) -> None:
    """A page of another site is refused with HTTP 403."""
    await deployment.refuses(403, origin="https://conformance.invalid")


@check(BY_VALIDATOR + ", which compares the port too")
async def page_on_another_port(deployment: Deployment) -> None:
    """A page of the same host on another port is refused with HTTP 403."""
    await deployment.refuses(403, origin=deployment.origin_on(1))


@check(BY_VALIDATOR + ", or SessionAuthMiddleware where cookies are read")
async def without_origin(deployment: Deployment) -> None:
    """A client without an Origin is let in, or refused where sessions are used."""
    if deployment.options.origin_required:
        return await deployment.refuses(403, origin=None)
    async with deployment.greeted(origin=None):
        pass


@check("put your routes into a SocketRouter")
async def unknown_path(deployment: Deployment) -> None:
    """A path without a route is refused before a socket opens."""
    url = deployment.options.url
    address = url._replace(path=f"{url.path.rstrip('/')}/no-such-path/")
    # A proxy may answer for paths that it does not pass on.
    await deployment.refuses(403, 404, address=address)
