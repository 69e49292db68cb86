"""The guide's channel layer over a Redis that lives in this process."""

from channels_redis.core import RedisChannelLayer


class EmbeddedRedisChannelLayer(RedisChannelLayer):
    """Waits for messages in short turns, because fakeredis waits a cancelled read out.

    With the usual turns of 5 seconds, a socket that came and left would delay the first frame of
    the next one by as much (fakeredis-py#471).
    """

    brpop_timeout = 0.1
