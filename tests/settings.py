"""The local settings in a folder of their own, whatever the developer's environment names.

On SQLite; on PostgreSQL where TEST_DATABASE_URL names one.
"""

import os
import tempfile

# For the tests on a real Keycloak, in xdist's workers too, which inherit what is left here.
REAL_KEYCLOAK = os.environ.get("REAL_KEYCLOAK") or os.environ.get("KEYCLOAK_ISSUER")
if REAL_KEYCLOAK:
    os.environ["REAL_KEYCLOAK"] = REAL_KEYCLOAK

for name in [*os.environ]:
    if name.startswith(("REDIS_", "KEYCLOAK_", "REALTIME_", "CHANNEL_LAYER", "DATABASE_URL")):
        del os.environ[name]

if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

folder = tempfile.TemporaryDirectory(prefix="reference-app-")
os.environ["DATA_DIR"] = folder.name
# nbval kills its kernels: what they leave in the temporary folder goes with this one.
os.environ["TMPDIR"] = folder.name
os.chmod(folder.name, 0o711)  # PostgreSQL, which is no server of root's, works within

from config.settings.local import *  # noqa: E402, F403
from config.settings.local import DATABASES  # noqa: E402

# A database beside the one of the streams, for transactions that a sender may be in as well.
DATABASES["other"] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": f"{folder.name}/other.sqlite3",
    "TEST": {"NAME": f"{folder.name}/test-other.sqlite3", "MIGRATE": False},
}

# Each test has threads of its own, whose connections must not outlive them.
DATABASES["default"].get("OPTIONS", {}).pop("pool", None)
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # A file: SQLite gives every thread a memory database of its own.
    DATABASES["default"]["TEST"] = {"NAME": f"{folder.name}/test.sqlite3"}
