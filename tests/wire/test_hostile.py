"""The client beside hostile ones, by which their cost is measured."""

from tests.wire.hostile import footprint, neighbor


async def test_neighbor_is_answered_and_the_server_is_measured(server):
    async with neighbor(server) as pings:
        await pings.more(20)
        assert len(pings.round_trips) >= 20 and pings.p99 > 0
    held = footprint(server)
    assert held.memory_mib > 20 and held.descriptors > 5 and held.threads >= 1
