from django.apps import AppConfig
from django.core.checks import Error, Tags, register
from django.urls import reverse


class DevrealmConfig(AppConfig):
    name = "devrealm"

    def for_the_page(self) -> dict:
        """Return what the demo page has to know, to sign people in without asking them."""
        from . import supervisor
        from .people import ORG_ID, PEOPLE

        names = {name: f"{p.given_name} {p.family_name}" for name, p in PEOPLE.items()}
        return {
            # On the page's own origin, whatever port that is.
            "tokenEndpoint": reverse("devrealm-token"),
            "orgId": str(ORG_ID),
            "people": [{"username": name, "name": names[name]} for name in names],
            "canRestart": supervisor.is_supervised(),
        }


@register(Tags.security, deploy=True)
def check_not_deployed(app_configs, **kwargs):
    return [
        Error(
            "devrealm is installed: it gives anyone a token.",
            hint="Use config.settings.production, with a Keycloak.",
            id="devrealm.E001",
        )
    ]
