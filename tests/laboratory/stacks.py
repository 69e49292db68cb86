"""What the laboratory puts to the test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stack:
    """Servers of one kind on a channel layer, and the app that they serve."""

    server: str = "daphne"
    layer: str = "pubsub"
    servers: int = 1
    application: str = "config.asgi:application"
    senders: str = "api.consumers"
    settings: str = "config.settings.local"
    # Whether its readers can resume.
    resumes: bool = True
    # Seconds in which nothing is read, after which nothing is expected any more.
    silence: float = 15

    def __str__(self):
        name = f"{self.server} {self.layer}" if self.resumes else "the guide as written"
        return name if self.servers == 1 else f"{name} × {self.servers}"


def guide(servers: int = 1, server: str = "daphne") -> Stack:
    """Return the guide as written, on the layer that it names."""
    module = "tests.laboratory.guide_as_written"
    return Stack(
        server,
        layer="core",
        servers=servers,
        application=f"{module}:application",
        senders=module,
        settings="tests.laboratory.guide_settings",
        resumes=False,
        silence=5,
    )
