"""The consumer that a project subclasses for each of its endpoints."""

from django.core.exceptions import ImproperlyConfigured

from .authority.topics import Topic
from .sockets.connection import Connection


class RealtimeConsumer(Connection):
    """Sends a user the frames of one stream, from the place where the user's client left off.

        class ProjectConsumer(RealtimeConsumer):
            topic = ProjectTopic()
            greeting = "Connected to the project."

    The topic finds the stream in the handshake, and says who may listen to it. Override
    `established` to add keys to the greeting, and add to `answers` a function for each further type
    of message, as `answers = RealtimeConsumer.answers | {"echo": echo}`.
    """

    @property
    def key(self) -> str:
        """The key of the stream, as the topic spells it."""
        return self.access.key

    @classmethod
    def as_asgi(cls, **initkwargs):
        """Return the application.

        Raises ImproperlyConfigured where the class has no topic.
        """
        if not isinstance(getattr(cls, "topic", None), Topic):
            raise ImproperlyConfigured(
                f"{cls.__name__} has no topic, so nobody has said who may listen. "
                f"Give it one: topic = YourTopic()"
            )
        return super().as_asgi(**initkwargs)
