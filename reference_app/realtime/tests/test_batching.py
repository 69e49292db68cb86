"""Many messages to a layer that takes them one by one."""

import pytest
from channels.layers import BaseChannelLayer

from ..layer.batching import AT_ONCE, group_send_many


class Recorder(BaseChannelLayer):
    """Records by group what it is sent, and refuses some groups."""

    def __init__(self, refuses: frozenset[str] = frozenset()):
        super().__init__()
        self.refuses, self.sent = refuses, {}

    async def group_send(self, group, message):
        if group in self.refuses:
            raise ConnectionError(f"no way to {group}")
        self.sent.setdefault(group, []).append(message["n"])


async def test_messages_to_one_group_keep_their_order():
    groups = [f"group-{number}" for number in range(AT_ONCE + 5)]
    layer = Recorder()
    await group_send_many(layer, [(group, {"n": n}) for n in range(3) for group in groups])
    assert layer.sent == {group: [0, 1, 2] for group in groups}


async def test_group_that_is_out_of_reach_is_raised_when_the_others_were_sent_to():
    layer = Recorder(refuses=frozenset({"b"}))
    with pytest.raises(ConnectionError, match="no way to b"):
        await group_send_many(layer, [(group, {"n": 1}) for group in "abc"])
    assert layer.sent == {"a": [1], "c": [1]}
