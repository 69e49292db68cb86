import os

import pytest

pytest_plugins = ["tests.wire.fixtures"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail where a test would skip, when CI runs it: CI installs and starts every component."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped in CI: {report.longrepr}"
    return report
