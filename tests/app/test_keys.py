"""Keys from a real address, which rotates them, fails and hangs."""

import asyncio
import contextlib
import threading

import pytest
from asgiref.sync import sync_to_async

from realtime.identity import errors, issuers, keys, tokens
from tests.app.issuer import Issuer, use_keys_of


@pytest.fixture
def issuer(settings):
    issuer = Issuer()
    issuer.make_key("first")
    use_keys_of(settings, KEYS_URL=issuer.url)
    yield issuer
    issuer.close()


@pytest.fixture
def no_cooldown(monkeypatch):
    monkeypatch.setattr(keys, "COOLDOWN", 0)


async def verdict(token):
    try:
        await tokens.averify(token)
    except errors.TokenError as error:
        return error.code


async def test_two_hundred_unknown_keys_at_once_cause_one_fetch(issuer):
    assert await verdict(issuer.token("first")) is None
    tokens.issuer_keys().tried_at -= keys.COOLDOWN
    issuer.answers.clear()
    forged = [issuer.token("forged")] * 200
    verdicts = asyncio.gather(*map(verdict, forged))
    await asyncio.to_thread(issuer.asked.wait)
    issuer.answers.set()
    assert await verdicts == ["unknown_key"] * 200
    assert issuer.fetches == 2
    assert await asyncio.gather(*map(verdict, forged)) == ["unknown_key"] * 200
    assert issuer.fetches == 2


async def test_first_sockets_share_the_first_fetch(issuer):
    good = issuer.token("first")
    assert await asyncio.gather(*(verdict(good) for _ in range(200))) == [None] * 200
    assert await asyncio.gather(*(asyncio.to_thread(tokens.verify, good) for _ in range(8)))
    assert issuer.fetches == 1


async def test_threads_that_ask_at_once_share_one_set(issuer, monkeypatch):
    """What a thread has fetched would not be in another's set."""
    two = threading.Barrier(2)

    def make(*arguments):
        with contextlib.suppress(threading.BrokenBarrierError):
            two.wait(0.1)  # for a second thread, which does not come
        return keys.KeySet(*arguments)

    monkeypatch.setattr(issuers, "KeySet", make)
    first, second = await asyncio.gather(*(asyncio.to_thread(tokens.issuer_keys) for _ in "ab"))
    assert first is second


async def test_known_key_is_judged_while_the_issuer_hangs(issuer, no_cooldown):
    good, forged = issuer.token("first"), issuer.token("forged")
    assert await verdict(good) is None
    issuer.asked.clear()
    issuer.answers.clear()
    waiting = [asyncio.ensure_future(verdict(forged)) for _ in range(50)]
    await asyncio.to_thread(issuer.asked.wait)
    # Neither the loop, nor the database's thread, nor a request's thread waits with them.
    assert await verdict(good) is None
    assert await sync_to_async(lambda: "free")() == "free"
    assert await asyncio.to_thread(tokens.verify, good)
    assert not any(task.done() for task in waiting)
    issuer.answers.set()
    assert set(await asyncio.gather(*waiting)) == {"unknown_key"}


async def test_hanging_issuer_is_given_up_and_blames_no_token(issuer, monkeypatch):
    monkeypatch.setattr(tokens, "FETCH_PATIENCE", 0.1)
    issuer.answers.clear()
    assert await verdict(issuer.token("first")) == "keys_unavailable"
    with pytest.raises(errors.KeysUnavailableError):
        await asyncio.to_thread(tokens.verify, issuer.token("first"))
    issuer.answers.set()
    await asyncio.wrap_future(tokens.issuer_keys().fetching)
    assert await verdict(issuer.token("first")) is None


async def test_rotated_key_is_accepted_without_a_restart(issuer, no_cooldown):
    assert await verdict(issuer.token("first")) is None
    issuer.make_key("second")
    assert await verdict(issuer.token("second")) is None
    assert await verdict(issuer.token("first")) is None
    assert issuer.fetches == 2


async def test_withdrawn_key_is_refused_once_the_set_was_fetched_again(issuer, no_cooldown):
    assert await verdict(issuer.token("first")) is None
    issuer.make_key("second")
    issuer.published.remove("first")
    assert await verdict(issuer.token("first")) is None
    assert await verdict(issuer.token("second")) is None
    assert await verdict(issuer.token("first")) == "unknown_key"


async def test_old_set_is_fetched_again_before_it_is_trusted(issuer):
    assert await verdict(issuer.token("first")) is None
    issuer.make_key("second")
    issuer.published.remove("first")
    tokens.issuer_keys().fetched_at -= keys.LIFESPAN
    tokens.issuer_keys().tried_at -= keys.LIFESPAN
    assert await verdict(issuer.token("first")) == "unknown_key"


async def test_old_keys_outlive_a_failed_fetch(issuer, caplog):
    assert await verdict(issuer.token("first")) is None
    issuer.status = 500
    tokens.issuer_keys().fetched_at -= keys.LIFESPAN
    tokens.issuer_keys().tried_at -= keys.LIFESPAN
    assert await verdict(issuer.token("first")) is None
    # It may be a new key's: while that cannot be known, no token is to blame.
    assert await verdict(issuer.token("second")) == "keys_unavailable"
    assert issuer.fetches == 2
    assert caplog.text.count("could not be fetched") == 1


async def test_issuer_that_fails_is_asked_once_per_cooldown(issuer):
    issuer.status = 503
    verdicts = [await verdict(issuer.token("first")) for _ in range(20)]
    assert verdicts == ["keys_unavailable"] * 20
    assert issuer.fetches == 1
    issuer.status = 200
    tokens.issuer_keys().tried_at -= keys.COOLDOWN
    assert await verdict(issuer.token("first")) is None


async def test_issuer_that_failed_is_asked_again_sooner(issuer):
    issuer.status = 503
    assert await verdict(issuer.token("first")) == "keys_unavailable"
    issuer.status = 200
    tokens.issuer_keys().tried_at -= keys.RETRY
    assert await verdict(issuer.token("first")) is None
    tokens.issuer_keys().tried_at -= keys.RETRY
    assert await verdict(issuer.token("second")) == "unknown_key"
    assert issuer.fetches == 2


async def test_key_for_encryption_signs_nothing(issuer):
    issuer.use = "enc"
    assert await verdict(issuer.token("first")) == "keys_unavailable"
