"""The three lanes of the tests; `tests/README.md` says what each is for.

A test without a mark is in the quick lane. The marks `full` and `long` put it into another.
"""

import os

import pytest

QUICK, FULL, LONG = LANES = ("quick", "full", "long")

# Beside them, what only PostgreSQL can do is tested where the unit tests run on it.
POSTGRESQL = "postgresql"

# The reasons for which a test may skip in CI: no package can give a container these rights.
MAY_NOT_MOUNT = "needs the right to mount a file system: run it as root, in a privileged container"
MAY_NOT_MAKE_NETWORKS = (
    "needs the right to make network namespaces: run it as root, in a privileged container"
)
RIGHTS = (MAY_NOT_MOUNT, MAY_NOT_MAKE_NETWORKS)

# The files that take longest start first: one that starts last keeps a worker busy alone.
LONGEST_FIRST = (
    "test_notebooks_again.py",
    "16_take_it_home.ipynb",
    "15_in_production.ipynb",
    "test_systemd.py",
    "test_nginx.py",
    "test_conformance.py",
    "test_deployments.py",
    "test_copy.py",
    "test_closings.py",
    "test_outbox_faults.py",
    "test_keycloak_sign_in.py",
    "test_keycloak.py",
    "test_client_limits.py",
    "test_faults.py",
    "test_history_exchanged.py",
    "test_several_machines.py",
    "test_accessibility.py",
    "test_delivery.py",
    "test_bursts.py",
    "test_page_under_stress.py",
    "test_other_servers.py",
    "test_network.py",
    "test_devrealm.py",
    "test_storm.py",
    "test_slow_readers.py",
    "test_autobahn.py",
)


def pytest_addoption(parser):
    group = parser.getgroup("lanes", "lanes: without one of these, the quick lane")
    group.addoption("--full", action="store_true", help="run what needs the real parts")
    group.addoption("--long", action="store_true", help="run what needs minutes of waiting")
    group.addoption("--all", action="store_true", help="run the quick and the full lane")


def pytest_report_header(config):
    return f"lanes: {', '.join(lanes_chosen(config))}"


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Return more workers than cores: a worker waits for a third of its time."""
    cores = os.cpu_count() or 1
    return cores + (cores + 1) // 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Deselect the tests of the other lanes, and let the longest files start first."""
    lanes = lanes_chosen(config)
    config.hook.pytest_deselected(items=[item for item in items if lane_of(item) not in lanes])
    items[:] = sorted((item for item in items if lane_of(item) in lanes), key=turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail where a test would skip: CI has every part, and the quick lane needs none."""
    report = yield
    is_forbidden = os.environ.get("CI") or lane_of(item) == QUICK
    is_forbidden = is_forbidden and not any(right in str(report.longrepr) for right in RIGHTS)
    if is_forbidden and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which is forbidden here: {report.longrepr}"
    return report


def lanes_chosen(config) -> list[str]:
    if config.getoption("all"):
        return [QUICK, FULL, *([POSTGRESQL] if "TEST_DATABASE_URL" in os.environ else [])]
    return [lane for lane in (FULL, LONG) if config.getoption(lane)] or [QUICK]


def lane_of(item) -> str:
    """Return the lane of a test: `long` wins over `full`, which a whole file may have."""
    marked = {mark.name for mark in item.iter_markers()}
    return next((lane for lane in (POSTGRESQL, LONG, FULL) if lane in marked), QUICK)


def in_full(values) -> list:
    """Return parameters of a test or fixture that are for the full lane."""
    return [pytest.param(value, marks=pytest.mark.full) for value in values]


def in_long(values: list[tuple]) -> list:
    """Return parameters of a test in the full lane that are for the long lane."""
    return [pytest.param(*value, marks=pytest.mark.long) for value in values]


def in_long_unless(is_in_full: bool) -> list:
    """Return the marks of a parameter of a test in the full lane."""
    return [] if is_in_full else [pytest.mark.long]


def turn(item) -> int:
    """Return the place of a test's file in the order of the run."""
    name = item.path.name
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)
