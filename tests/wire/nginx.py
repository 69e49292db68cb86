"""The real nginx with the files of `deploy/nginx`, on ports and in a folder of its own."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.readme import ROOT
from tests.wire.servers import free_port

SHIPPED = ROOT / "reference_app" / "deploy" / "nginx"
NAME = "app.example.com"


def make_certificate(folder: Path, name: str = NAME) -> None:
    """Make a self-signed certificate of a host, as the README prints it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: install it, Debian calls it openssl")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", "key.pem", "-out", "certificate.pem"]
    command = ["openssl", "req", "-x509", *key, "-days", "30", *names, *files]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


class Nginx:
    """nginx in a folder.

    `servers` are the addresses of its upstream, and `name` is the site's. `changed` maps pieces of
    the shipped files to what stands in their place; each has to occur.
    """

    def __init__(
        self,
        folder: Path,
        servers: list[str],
        changed: dict[str, str] | None = None,
        name: str = NAME,
    ):
        self.folder, self.name = folder, name
        self.https, self.http = free_port(), free_port()
        self.changed = self.places() | {
            "server 127.0.0.1:8000 max_fails=0;": "\n".join(
                f"server {each} max_fails=0;" for each in servers
            ),
            **(changed or {}),
        }
        self.process: subprocess.Popen | None = None

    def places(self) -> dict[str, str]:
        """Return the shipped files' ports and paths, and this test's."""
        return {
            "listen [::]:80 default_server;": "",
            "listen [::]:443 ssl default_server;": "",
            "listen [::]:80;": "",
            "listen [::]:443 ssl;": "",
            "listen 80": f"listen 127.0.0.1:{self.http}",
            "listen 443": f"listen 127.0.0.1:{self.https}",
            NAME: self.name,
            "user www-data;": f"user {getpass.getuser()};",
            "/run/nginx.pid": f"{self.folder}/nginx.pid",
            "/var/log/nginx": str(self.folder),
            "/etc/ssl/reference-app": str(self.folder),
            "/srv/reference-app/reference_app/var/static": f"{self.folder}/static",
        }

    def install(self) -> None:
        shutil.copytree(SHIPPED, self.folder, dirs_exist_ok=True)
        files = {path: path.read_text() for path in self.folder.rglob("*.conf")}
        for old, new in self.changed.items():
            assert any(old in text for text in files.values()), f"{old} is not shipped"
            files = {path: text.replace(old, new) for path, text in files.items()}
        for path, text in files.items():
            path.write_text(text)
        make_certificate(self.folder, self.name)

    def start(self) -> None:
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            pytest.skip("needs nginx: install it, Debian calls it nginx")
        self.install()
        command = [program, "-p", str(self.folder), "-c", "nginx.conf", "-g", "daemon off;"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def accepts(self) -> bool:
        assert self.process.poll() is None, self.log("error.log")
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", self.https)) == 0

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def workers(self) -> set[str]:
        """Return the process ids of the workers, also of those that shut down; needs /proc."""
        pid = self.process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def stop(self) -> None:
        """End it with its workers, if it runs."""
        if self.process:
            self.process.terminate()
            self.process.wait()

    def log(self, name: str) -> str:
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    @property
    def origin(self) -> str:
        return f"https://{self.name}:{self.https}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))

    @property
    def route(self) -> dict:
        """Return the options that take a `Client` of NAME to this nginx."""
        return {"host": "127.0.0.1", "port": self.https, "ssl": self.trust}

    @property
    def ws(self) -> str:
        return self.origin.replace("https", "wss")


def behind_nginx(environment: dict[str, str], name: str = NAME) -> dict[str, str]:
    """Return the environment of a server in production, which trusts the demo's tokens."""
    return environment | {
        "DJANGO_SETTINGS_MODULE": "tests.wire.variants.production",
        "DJANGO_SECRET_KEY": "a1b2c3d4" * 8,
        "DJANGO_ALLOWED_HOSTS": name,
        "KEYCLOAK_ISSUER": "http://localhost:8000/realms/demo",
        "KEYCLOAK_AUDIENCE": "reference-app",
    }


@contextlib.contextmanager
def nginx(folder: Path, servers: list[str], **options) -> Iterator[Nginx]:
    """Run nginx in front of servers, each `host:port` or `unix:/path`."""
    front = Nginx(folder, servers, **options)
    try:
        front.start()
        while not front.accepts():
            time.sleep(0.01)
        yield front
    finally:
        front.stop()
