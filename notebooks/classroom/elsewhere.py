"""Finds out how a reader's browser reaches this machine, which may be a hub's or a codespace."""

import os
from importlib.util import find_spec


def page_address(port: int) -> str | None:
    """Return the address of a port of this machine as the reader's browser knows it.

    In a hub it is a path of the hub, and jupyter-server-proxy leads from there to the port. None is
    for a reader who is elsewhere and has no such way.
    """
    base = base_url()
    if base is None:
        return f"http://127.0.0.1:{port}/"
    return f"{base}proxy/{port}/" if base and find_spec("jupyter_server_proxy") else None


def base_url() -> str | None:
    """Return the path at which Jupyter serves a reader elsewhere, empty if it does not.

    None is for a reader at this machine.
    """
    server = jupyter_server()
    if prefix := os.environ.get("JUPYTERHUB_SERVICE_PREFIX"):
        return prefix
    if "CODESPACE_NAME" in os.environ:
        return server.get("base_url", "")
    return server["base_url"] if server.get("base_url", "/") != "/" else None


def jupyter_server() -> dict:
    """Return what the Jupyter server that started this kernel says of itself, if one did."""
    from jupyter_server.serverapp import list_running_servers

    parent = os.environ.get("JPY_PARENT_PID")
    return next((each for each in list_running_servers() if str(each["pid"]) == parent), {})


def settings_of_demo() -> dict[str, str]:
    """Return the environment by which the demo lets the reader's browser in."""
    if base_url() is None:
        return {}
    return {"LOCAL_PROXY": "true", "REALTIME_ALLOWED_ORIGINS": ",".join(origins_of_codespace())}


def origins_of_codespace() -> list[str]:
    """Return how a codespace may name the page's origin.

    It passes on another Host than the browser sees. In place of an Origin of its own it writes
    localhost, and it leaves foreign ones as they are: https://github.com/symfony/demo/issues/1542
    """
    name = os.environ.get("CODESPACE_NAME")
    if not (name and (port := jupyter_server().get("port"))):
        return []
    domain = os.environ.get("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN", "app.github.dev")
    here = [f"{scheme}://localhost:{port}" for scheme in ("http", "https")]
    return [f"https://{name}-{port}.{domain}", *here]
