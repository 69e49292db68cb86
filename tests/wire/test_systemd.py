"""The README's way from a bare Debian to a page behind TLS, and what restarts cost there."""

import asyncio
import json
import re
import sys
import time

import pytest
from django.conf import settings

from classroom import token
from tests.project.readme import REFERENCE
from tests.wire.fixtures import TOKEN
from tests.wire.machine import machine
from tests.wire.newcomers import STAYING
from tests.wire.prometheus import counted_in
from tests.wire.servers import PATIENCE

pytestmark = pytest.mark.full

UNITS = "/etc/systemd/system/reference-app-"
SERVICES = ["server@1.service", "worker.service", "prune.service"]

# devrealm's key stands for Keycloak's, and this process signs with it.
TRIAL = """
install -d -m 700 /etc/reference-app
install -d -m 700 -o reference-app -g reference-app /var/lib/reference-app
cat >/var/lib/reference-app/devrealm.pem
chown reference-app: /var/lib/reference-app/devrealm.pem
cat >/etc/reference-app/trial <<END
DJANGO_SETTINGS_MODULE=tests.wire.variants.production
PYTHONPATH=/srv/reference-app
KEYCLOAK_ISSUER=http://localhost:8000/realms/demo
END
mkdir -p /etc/systemd/system/reference-app-.service.d
printf '[Service]\\nEnvironmentFile=/etc/reference-app/trial\\n' \\
  >/etc/systemd/system/reference-app-.service.d/trial.conf
"""


def commands() -> list[str]:
    """Return the README's blocks of commands; packages are installed already."""
    section = REFERENCE.read_text().split("## Put it on a server")[1].split("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 10
    fetched = re.compile(r"^(apt-get|python3 -m venv) .*\n", flags=re.MULTILINE)
    return [fetched.sub("", block) for block in blocks]


@pytest.fixture(scope="module")
def debian():
    """A Debian on which the README's commands were run, with what the last ones printed."""
    *setting_up, looking, watching, restarting = commands()
    token("alice")  # makes the key
    key = (settings.DATA_DIR / "devrealm.pem").read_text()
    with machine() as debian:
        debian.run(setting_up[0])
        debian.run(TRIAL, input=key)
        for block in setting_up[1:]:
            debian.run(block)
        debian.looking, debian.watching, debian.restarting = looking, watching, restarting
        yield debian


def test_page_is_served_behind_tls(debian):
    page, answer = debian.run(debian.looking).strip().splitlines()
    assert "<title>" in page
    assert json.loads(answer)["error"] == "token_missing"


def test_units_are_valid_and_their_services_are_confined(debian):
    debian.run(f"systemd-analyze verify --man=no {UNITS}*.service {UNITS}*.socket {UNITS}*.timer")
    for each in SERVICES:
        debian.run(f"systemd-analyze security --offline=true --threshold=20 {UNITS}{each}")


def test_worker_runs_and_the_timer_can_prune(debian):
    debian.run("systemctl is-active reference-app-worker reference-app-prune.timer")
    debian.run("systemctl start reference-app-prune.service")
    journal = debian.run("journalctl --unit=reference-app-prune --output=cat")
    assert "Deleted 0 entries." in journal


async def test_restart_in_turn_refuses_and_delays_nobody(debian):
    certificate = debian.root / "etc/ssl/reference-app/certificate.pem"
    arguments = ["https://app.example.com", str(certificate), token("bob"), token("alice")]
    clients = await asyncio.create_subprocess_exec(
        *debian.outside(sys.executable, "-m", "tests.wire.newcomers", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert await clients.stdout.readline() == b"ready\n"
    began = time.monotonic()
    await asyncio.to_thread(debian.run, debian.restarting)
    one_restart = (time.monotonic() - began) / 2
    async with asyncio.timeout(PATIENCE):
        printed, _ = await clients.communicate(b"")  # closes its input
    seen = json.loads(printed)
    assert seen["codes"].keys() == {"1012"}
    assert len(seen["closed"]) == STAYING and min(seen["closed"]) >= 1
    assert {each for client in seen["recovered"] for each in client} == {True}
    assert seen["offsets"] == [[*range(2, seen["sent"] + 1)]] * STAYING
    assert seen["newcomers"].keys() == {"connection.established"}
    longest = seen["waits"][-1]
    print(f"{len(seen['waits'])} newcomers, the longest wait {longest:.2f} s")
    # A newcomer that waited for a server would have waited for its drain and its start.
    assert longest < one_restart / 2


def test_prometheus_reads_what_all_instances_have_counted(debian):
    """After the above: of those that were restarted the counters are left, and no gauge."""
    counted = counted_in(debian.run(debian.watching))
    let_in = counted["realtime_handshakes_total", "NotificationConsumer", "let_in"]
    assert let_in > 2 * STAYING
    assert counted["realtime_closes_total", "1012"] >= STAYING
    assert counted["realtime_connections", "NotificationConsumer"] == 0
    assert counted["realtime_draining",] == 0
    from_outside = debian.run(
        "curl -sS -o /dev/null -w '%{http_code}' --resolve app.example.com:443:127.0.0.1 "
        "--cacert /etc/ssl/reference-app/certificate.pem https://app.example.com/metrics"
    )
    assert from_outside == "404"


def test_no_token_was_logged(debian):
    """After the above: some hundred clients have sent theirs as `?token=`."""
    logs = debian.run("cat /var/log/nginx/*.log; journalctl --output=cat")
    assert logs.count('"GET /ws/notifications/ HTTP/1.1" 101 ') > STAYING
    assert not TOKEN.search(logs)
