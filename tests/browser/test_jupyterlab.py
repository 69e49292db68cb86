"""JupyterLab as the README starts it: a page that is live in its frame, and links to the code."""

import contextlib
import getpass
import os
import re
import shutil
import subprocess
import sys
import urllib.request

import pytest

from tests.browser.chromium import fixture, started
from tests.browser.demo_page import SOCKETS, press, session, shows, status
from tests.project.readme import README, ROOT
from tests.record import NOTEBOOKS
from tests.wire.nginx import make_certificate
from tests.wire.servers import PATIENCE, eventually, free_port

NOTEBOOK = "12_in_the_browser.ipynb"

# Milliseconds in which JupyterLab and its kernel are there, on a machine under load.
LONG = 4 * PATIENCE * 1_000

OPTIONS = ["--no-browser", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password="]


# Seconds for JupyterLab to end its kernels. On a loaded machine it was seen to wait for a minute.
ENDS_WITHIN = 20


@contextlib.contextmanager
def running_jupyterlab(tmp_path, *more: str):
    """Start a JupyterLab on a copy of the notebooks, which it may save, and yield its port."""
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks", ignore=ignored)
    (tmp_path / "reference_app").symlink_to(ROOT / "reference_app")
    port = free_port()
    own = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    where = [f"--port={port}", "--ServerApp.port_retries=0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter", *of_the_readme(), *OPTIONS, *where, *more],
        cwd=tmp_path,
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        end(process)


def end(process) -> None:
    process.terminate()  # and with it its kernels, and theirs
    try:
        process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()  # a kernel ends by itself when its server is gone
        process.wait()


def of_the_readme() -> list[str]:
    """Return the arguments of `jupyter` in the README's command, which are for the root."""
    command = re.search(r"/jupyter (lab .+\.ipynb)$", README.read_text(), re.MULTILINE)
    return command[1].split()


@pytest.fixture
def jupyterlab(tmp_path):
    """The address of a JupyterLab on this machine."""
    with running_jupyterlab(tmp_path) as port:
        yield f"http://127.0.0.1:{port}"


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api"):
            return True
    except OSError:
        return False


async def run_all(page, url: str) -> None:
    await page.goto(f"{url}/lab/tree/notebooks/{NOTEBOOK}?reset")
    # The status bar, because the notebook's own indicator says idle before there is a kernel.
    await page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=LONG)
    await page.get_by_role("menuitem", name="Run", exact=True).click()
    await page.get_by_text("Run All Cells", exact=True).click()


async def page_is_live(frame) -> None:
    """See that the page in a frame has its sockets open, calls the API, and shows two people."""
    alice, bob = session(frame, "Alice"), session(frame, "Bob")
    await alice.wait_for(timeout=LONG)
    for socket in SOCKETS:
        await shows(status(alice, socket), "Connected")
        await shows(status(bob, socket), "Connected")
    await press(alice, "Notify me")
    await shows(alice.get_by_role("list", name="Notifications"), "Hello, Alice")
    left, right = await alice.bounding_box(), await bob.bounding_box()
    assert left["y"] == right["y"], "Bob should be beside Alice"


async def test_page_in_the_notebooks_frame_is_live_after_run_all(browser, jupyterlab):
    page = await browser.new_page(viewport={"width": 1600, "height": 1200})
    await eventually(lambda: answers(jupyterlab))
    await run_all(page, jupyterlab)
    frame = page.frame_locator(".jp-OutputArea iframe")
    await page_is_live(frame)
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="in a tab of its own").click()
    await session(await opened.value, "Alice").wait_for()


async def test_links_of_a_notebook_open_the_code_and_the_next_notebook(browser, jupyterlab):
    page = await browser.new_page()
    await eventually(lambda: answers(jupyterlab))
    await page.goto(f"{jupyterlab}/lab/tree/notebooks/00_start_here.ipynb?reset")
    await page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=LONG)
    await page.get_by_role("link", name="config/asgi.py").first.click()
    await page.get_by_role("tab", name="asgi.py").wait_for(timeout=LONG)
    await page.locator(".jp-FileEditor").get_by_text("AllowedOriginsValidator").first.wait_for()
    await page.get_by_role("tab", name="00_start_here.ipynb").click()
    await page.get_by_role("link", name="01 Answer a WebSocket").click()
    await page.get_by_role("tab", name="01_scope_and_events.ipynb").wait_for(timeout=LONG)


# In a hub: JupyterLab below a prefix, behind a proxy that ends TLS, read from another machine

PREFIX = "/user/alice/"
HUB = "hub.test"

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; user {user};
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied;
  fastcgi_temp_path {folder}/1; uwsgi_temp_path {folder}/2; scgi_temp_path {folder}/3;
  map $http_upgrade $kept {{ default upgrade; '' ''; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;
    location / {{
      proxy_pass http://127.0.0.1:{lab}; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $kept;
    }}
  }}
}}
"""


@contextlib.contextmanager
def ending_tls(folder, lab: int):
    """Run nginx before a JupyterLab, and yield the port of what it serves by TLS."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("needs nginx: install it, Debian calls it nginx")
    folder.mkdir()
    make_certificate(folder, HUB)
    places = {"folder": folder, "user": getpass.getuser(), "port": free_port(), "lab": lab}
    (folder / "nginx.conf").write_text(NGINX.format(**places))
    process = subprocess.Popen([program, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
    try:
        yield places["port"]
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def hub(tmp_path):
    """The address of a JupyterLab as its reader knows it, and as this machine does."""
    options = [f"--ServerApp.base_url={PREFIX}", "--ServerApp.allow_remote_access=True"]
    with running_jupyterlab(tmp_path, *options) as lab, ending_tls(tmp_path / "tls", lab) as port:
        yield f"https://{HUB}:{port}{PREFIX}".rstrip("/"), f"http://127.0.0.1:{lab}{PREFIX}"


@fixture
async def reader():
    """A page of a browser that reaches the hub, and nothing that listens on this machine."""
    async with started(f"--host-resolver-rules=MAP {HUB} 127.0.0.1") as chromium:
        context = await chromium.new_context(
            ignore_https_errors=True, viewport={"width": 1440, "height": 900}
        )
        await context.route(re.compile("^https?://(127.0.0.1|localhost):"), lambda r: r.abort())
        yield await context.new_page()


async def test_page_in_the_notebooks_frame_is_live_in_a_hub(reader, hub):
    address, here = hub
    await eventually(lambda: answers(here.rstrip("/")))
    await run_all(reader, address)
    frame = reader.locator(".jp-OutputArea iframe")
    await frame.wait_for(timeout=LONG)
    assert re.fullmatch(rf"{PREFIX}proxy/\d+/", await frame.get_attribute("src"))
    await page_is_live(reader.frame_locator(".jp-OutputArea iframe"))
