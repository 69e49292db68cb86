"""An issuer that is no Keycloak, as the environment describes it."""

import json
import os

from config.settings.local import *  # noqa: F403
from config.settings.local import REALTIME_ISSUER

REALTIME_ISSUER = REALTIME_ISSUER | json.loads(os.environ["ISSUER_PARTS"])
