import asyncio
import datetime
import gc
import weakref

import pytest
from tornado import gen, locks

SOON = datetime.timedelta(milliseconds=10)
NOW = datetime.timedelta(0)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


@pytest.mark.parametrize("deadline", [NOW, datetime.timedelta(seconds=-1), 0, 0.0])
def test_a_deadline_that_has_passed_means_not_to_wait(deadline):
    async def main():
        with pytest.raises(gen.TimeoutError):
            await locks.Event().wait(timeout=deadline)
        with pytest.raises(gen.TimeoutError):
            await locks.Semaphore(0).acquire(timeout=deadline)
        assert await locks.Condition().wait(timeout=deadline) is False

    run(main())


def test_what_is_free_is_had_even_at_a_deadline_that_has_passed():
    async def main():
        event = locks.Event()
        event.set()
        await event.wait(timeout=NOW)
        with await locks.Lock().acquire(timeout=NOW):
            pass

    run(main())


def test_a_waiter_that_was_cancelled_is_passed_over():
    async def main():
        semaphore = locks.Semaphore(0)
        first = asyncio.ensure_future(semaphore.acquire())
        second = asyncio.ensure_future(semaphore.acquire())
        first.cancel()
        semaphore.release()
        assert second.done()

        condition = locks.Condition()
        first, second = condition.wait(), condition.wait()
        first.cancel()
        condition.notify()
        assert await second is True

    run(main())


def test_an_event_forgets_those_that_no_longer_wait():
    async def main():
        event = locks.Event()
        waiter = event.wait()
        waiter.cancel()
        with pytest.raises(gen.TimeoutError):
            await event.wait(timeout=SOON)
        await asyncio.sleep(0)
        assert event._waiters == set()

    run(main())


def test_a_wait_that_ends_in_time_leaves_no_timer():
    async def main():
        event = locks.Event()
        waiting = event.wait(timeout=datetime.timedelta(hours=1))
        event.set()
        await waiting
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        assert [t for t in loop._scheduled if t.when() > loop.time() + 1800 and not t.cancelled()] == []

    run(main())


def test_a_lock_is_released_when_the_body_fails():
    async def main():
        lock = locks.Lock()
        with pytest.raises(ZeroDivisionError):
            async with lock:
                raise ZeroDivisionError
        async with lock:
            pass

    run(main())


def test_the_context_manager_releases_once_and_in_order():
    async def main():
        order = []
        limit = locks.BoundedSemaphore(2)

        async def worker(number):
            async with limit:
                order.append(number)
                await asyncio.sleep(0)

        await gen.multi([worker(i) for i in range(5)])
        assert order == [0, 1, 2, 3, 4]
        with pytest.raises(ValueError, match="released too many times"):
            limit.release()

    run(main())


@pytest.mark.parametrize("kind", [locks.Lock, locks.Semaphore, locks.BoundedSemaphore])
def test_a_bare_with_says_what_to_write(kind):
    async def main():
        with pytest.raises(RuntimeError, match=f"Use `async with` instead of `with` for {kind.__name__}"):
            with kind():
                pass

    run(main())


def test_locks_can_be_made_outside_a_loop_and_are_freed_at_once():
    gc.disable()
    try:
        for kind in (locks.Condition, locks.Event, locks.Lock, locks.Semaphore):
            alive = weakref.ref(kind())
            assert alive() is None
    finally:
        gc.enable()


def test_representations_tell_the_state():
    assert repr(locks.Event()) == "<Event clear>"
    assert repr(locks.Condition()) == "<Condition>"
    assert repr(locks.Semaphore(3)).endswith("[unlocked,value:3]>")
    assert repr(locks.Semaphore(0)).endswith("[locked]>")
