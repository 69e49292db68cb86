from django.apps import AppConfig
from django.core.checks import Error, Tags, register


class DevrealmConfig(AppConfig):
    name = "devrealm"


@register(Tags.security, deploy=True)
def check_not_deployed(app_configs, **kwargs):
    return [
        Error(
            "devrealm is installed: it gives anyone a token.",
            hint="Use config.settings.production, with a Keycloak.",
            id="devrealm.E001",
        )
    ]
