import asyncio
import datetime

import pytest
from tornado import gen, queues


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


@pytest.mark.parametrize("deadline", [datetime.timedelta(0), 0])
def test_a_deadline_that_has_passed_means_not_to_wait(deadline):
    async def main():
        queue = queues.Queue(1)
        with pytest.raises(gen.TimeoutError):
            await queue.get(timeout=deadline)
        queue.put_nowait(1)
        with pytest.raises(gen.TimeoutError):
            await queue.put(2, timeout=deadline)
        with pytest.raises(gen.TimeoutError):
            await queue.join(timeout=deadline)

    run(main())


def test_what_is_there_is_had_even_at_a_deadline_that_has_passed():
    async def main():
        queue = queues.Queue()
        await queue.put(1, timeout=0)
        assert await queue.get(timeout=0) == 1

    run(main())


def test_an_item_does_not_go_to_a_getter_that_was_cancelled():
    async def main():
        queue = queues.Queue()
        first, second = queue.get(), queue.get()
        first.cancel()
        queue.put_nowait(1)
        assert await second == 1

    run(main())


def test_an_item_of_a_putter_that_was_cancelled_is_not_put():
    async def main():
        queue = queues.Queue(1)
        queue.put_nowait(1)
        queue.put(2).cancel()
        third = queue.put(3)
        assert [await queue.get(), await queue.get()] == [1, 3]
        await third

    run(main())


def test_items_pass_in_the_order_of_the_queue_even_to_those_who_wait():
    class Newest(queues.Queue):
        def _init(self):
            self._queue = []

        def _put(self, item):
            self._queue.append(item * 2)

        def _get(self):
            return self._queue.pop()

    async def main():
        queue = Newest()
        getter = queue.get()
        queue.put_nowait(4)
        assert await getter == 8

    run(main())


def test_join_waits_for_items_put_after_the_first_were_done():
    async def main():
        queue = queues.Queue()
        queue.put_nowait(1)
        queue.get_nowait()
        queue.put_nowait(2)
        queue.task_done()
        joined = asyncio.ensure_future(queue.join())
        await asyncio.sleep(0)
        assert not joined.done()
        queue.get_nowait()
        queue.task_done()
        await joined
        with pytest.raises(ValueError, match="called too many times"):
            queue.task_done()

    run(main())


def test_representations_tell_the_state():
    queue = queues.Queue(2)
    assert str(queue) == "<Queue maxsize=2>"
    queue.put_nowait(7)
    assert str(queue) == "<Queue maxsize=2 queue=deque([7]) tasks=1>"
    assert str(queues.PriorityQueue()) == "<PriorityQueue maxsize=0>"


def test_a_producer_waits_for_the_consumer():
    async def main():
        queue = queues.Queue(maxsize=2)
        sizes = []

        async def consume():
            async for _ in queue:
                sizes.append(queue.qsize())
                await asyncio.sleep(0)
                queue.task_done()

        task = asyncio.ensure_future(consume())
        for item in range(20):
            await queue.put(item)
        await queue.join()
        task.cancel()
        assert max(sizes) <= 2 and len(sizes) == 20

    run(main())
