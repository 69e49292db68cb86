"""JupyterLab as the README starts it: a page that is live in its frame, and links to the code."""

import os
import re
import shutil
import subprocess
import sys
import urllib.request

import pytest

from tests.browser.demo_page import SOCKETS, press, session, shows, status
from tests.project.readme import README, ROOT
from tests.record import NOTEBOOKS
from tests.wire.servers import PATIENCE, eventually, free_port

NOTEBOOK = "12_in_the_browser.ipynb"

# Milliseconds in which JupyterLab and its kernel are there, on a machine under load.
LONG = 4 * PATIENCE * 1_000

OPTIONS = ["--no-browser", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password="]


# Seconds for JupyterLab to end its kernels. On a loaded machine it was seen to wait for a minute.
ENDS_WITHIN = 20


@pytest.fixture
def jupyterlab(tmp_path):
    """The address of a JupyterLab on a copy of the notebooks, which it may save."""
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks", ignore=ignored)
    (tmp_path / "reference_app").symlink_to(ROOT / "reference_app")
    port = free_port()
    own = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    where = [f"--port={port}", "--ServerApp.port_retries=0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter", *of_the_readme(), *OPTIONS, *where],
        cwd=tmp_path,
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}"
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


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api"):
            return True
    except OSError:
        return False


async def run_all(page, url: str) -> None:
    await eventually(lambda: answers(url))
    await page.goto(f"{url}/lab/tree/notebooks/{NOTEBOOK}?reset")
    # The status bar, because the notebook's own indicator says idle before there is a kernel.
    await page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=LONG)
    await page.get_by_role("menuitem", name="Run", exact=True).click()
    await page.get_by_text("Run All Cells", exact=True).click()


async def test_page_in_the_notebooks_frame_is_live_after_run_all(browser, jupyterlab):
    page = await browser.new_page(viewport={"width": 1600, "height": 1200})
    await run_all(page, jupyterlab)
    frame = page.frame_locator(".jp-OutputArea iframe")
    alice = session(frame, "Alice")
    await alice.wait_for(timeout=LONG)
    for socket in SOCKETS:
        await shows(status(alice, socket), "Connected")
    await press(alice, "Notify me")
    await shows(alice.get_by_role("list", name="Notifications"), "Hello, Alice")
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
