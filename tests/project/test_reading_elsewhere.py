"""The course where its readers have it: in a development container, in Binder, as HTML."""

import html
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib

import httpx
import nbformat
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.project.readme import README, ROOT
from tests.record import NOTEBOOKS
from tests.wire.servers import PATIENCE, eventually, free_port

CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
SCRIPT = ROOT / CONTAINER["postAttachCommand"]


def test_container_installs_extras_that_exist_for_a_python_that_is_supported():
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", CONTAINER["postCreateCommand"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert re.search(r"python:1-3\.1[1-9]-", CONTAINER["image"])


def test_container_forwards_the_port_of_its_jupyterlab_and_no_other():
    (port,) = CONTAINER["forwardPorts"]
    assert f"JUPYTERLAB_PORT:-{port}}}" in SCRIPT.read_text()
    assert CONTAINER["otherPortsAttributes"] == {"onAutoForward": "ignore"}


@pytest.fixture
def codespace(tmp_path):
    """The port of a JupyterLab that the container's script has started, as in a codespace."""
    (tmp_path / "CONFIG").mkdir()
    # The container's user is not root, and CI's is.
    settings = {"ServerApp": {"allow_root": True}}
    (tmp_path / "CONFIG" / "jupyter_server_config.json").write_text(json.dumps(settings))
    own = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    port = free_port()
    names = {"CODESPACE_NAME": "owl", "JUPYTERLAB_PORT": str(port), "JUPYTER_TOKEN": "secret"}
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([SCRIPT], env=os.environ | own | names, **output)
    yield port
    process.terminate()
    process.wait()


async def status_of(port: int, host: str) -> int | None:
    """Return what JupyterLab answers to a request that names a host; None before it listens."""
    try:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
            answer = await http.get(f"http://127.0.0.1:{port}/api", headers={"Host": host})
        return answer.status_code
    except httpx.TransportError:
        return None


async def cookie_of(port: int, host: str) -> str:
    """Sign in with the token of the link that the script prints, and return the cookie."""
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        url = f"http://127.0.0.1:{port}/lab?token=secret"
        answer = await http.get(url, headers={"Host": host})
    return "; ".join(each.partition(";")[0] for each in answer.headers.get_list("set-cookie"))


async def opens(port: int, host: str, origin: str) -> bool:
    """Whether a page of an origin may open a socket of JupyterLab's, with the reader's cookie."""
    headers = {"Cookie": await cookie_of(port, host)}
    to = {"host": "127.0.0.1", "port": port, "proxy": None, "open_timeout": PATIENCE}
    url = f"ws://{host}/api/events/subscribe"
    try:
        async with connect(url, origin=origin, additional_headers=headers, **to):
            return True
    except InvalidStatus as refusal:
        assert refusal.response.status_code == 403
        return False


@pytest.mark.full
async def test_jupyterlab_of_a_codespace_takes_its_own_page_and_no_other(codespace):
    here, public = f"localhost:{codespace}", f"owl-{codespace}.app.github.dev"

    async def is_there():
        return await status_of(codespace, public) == 200

    await eventually(is_there)
    for host in (here, public):
        for own in (f"http://{here}", f"https://{here}", f"https://{public}"):
            assert await opens(codespace, host, own)
        for foreign in ("https://evil.example", f"https://{public}.evil.example"):
            assert not await opens(codespace, host, foreign)


# As HTML: a browser without a network draws no Mermaid


def diagrams(path) -> list[str]:
    """Return the text twins of a notebook's diagrams."""
    outputs = [o for cell in nbformat.read(path, 4).cells for o in cell.get("outputs", [])]
    bundles = [output.get("data", {}) for output in outputs]
    return [bundle["text/plain"] for bundle in bundles if "text/vnd.mermaid" in bundle]


@pytest.mark.full
def test_html_shows_each_diagram_as_text(tmp_path):
    (line,) = re.findall(
        r"^\.venv/bin/(jupyter nbconvert .+) notebooks/\*\.ipynb$", README.read_text(), re.M
    )
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    words = [*shlex.split(line), "--output-dir", str(tmp_path), *map(str, paths)]
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True)
    for path in paths:
        page = (tmp_path / f"{path.stem}.html").read_text()
        assert [text for text in diagrams(path) if html.escape(text, quote=False) not in page] == []
        assert "participant P0" not in page
