import asyncio
import contextlib
import os
import random
import re
import socket
import time

import pytest
from tornado._buffers import UnsatisfiableReadError, _ReadHead, _ReadUntil, _ReadUntilRegex, _StreamBuffer
from tornado.iostream import BaseIOStream, IOStream, PipeIOStream, StreamBufferFullError, StreamClosedError


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


@contextlib.contextmanager
def pair(**kwargs):
    """Give two streams that are connected with each other; the arguments are those of the first."""
    ends = socket.socketpair()
    here, there = IOStream(ends[0], **kwargs), IOStream(ends[1])
    try:
        yield here, there
    finally:
        here.close()
        there.close()


def test_what_comes_in_single_bytes_is_read_as_a_whole():
    async def main():
        with pair() as (reader, writer):
            line = asyncio.ensure_future(reader.read_until(b"\r\n"))
            for byte in b"hello\r\nrest":
                await writer.write(bytes([byte]))
                await asyncio.sleep(0)
            assert await line == b"hello\r\n"
            assert await reader.read_bytes(4) == b"rest"

    run(main())


def test_two_reads_at_a_time_are_a_mistake():
    async def main():
        with pair() as (reader, writer):
            reader.read_bytes(1)
            with pytest.raises(AssertionError, match="Already reading"):
                reader.read_bytes(1)
            reader.close()
            with pytest.raises(StreamClosedError):
                reader.read_bytes(1)

    run(main())


def test_a_read_that_was_cancelled_leaves_its_bytes_to_the_next():
    async def main():
        with pair() as (reader, writer):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read_bytes(4), 0.01)
            await writer.write(b"abcd")
            assert await reader.read_bytes(2) == b"ab"
            assert await reader.read_bytes(2) == b"cd"

    run(main())


def test_bytes_that_came_before_the_end_can_be_read_after_it():
    async def main():
        with pair() as (reader, writer):
            writer.write(b"abcdef")
            assert await reader.read_bytes(1) == b"a"
            writer.close()
            with pytest.raises(StreamClosedError):
                await reader.read_until(b"\n")
            assert reader.closed()
            assert await reader.read_bytes(2) == b"bc"
            assert await reader.read_into(bytearray(1)) == 1
            with pytest.raises(StreamClosedError):
                await reader.read_into(bytearray(5))
            assert await reader.read_until_close() == b"ef"

    run(main())


def test_the_close_callback_comes_once_and_on_a_later_turn():
    async def main():
        with pair() as (reader, writer):
            calls = []
            reader.set_close_callback(lambda: calls.append(1))
            reader.close()
            assert calls == []
            reader.close()
            await asyncio.sleep(0.01)
            assert calls == [1]
            reader.set_close_callback(lambda: calls.append(2))
            await asyncio.sleep(0.01)
            assert calls == [1, 2]

    run(main())


def test_the_close_of_the_other_side_is_noticed_when_its_bytes_are_read():
    async def main():
        with pair() as (reader, writer):
            closed = asyncio.Event()
            reader.set_close_callback(closed.set)
            await writer.write(b"abc")
            writer.close()
            await asyncio.sleep(0.02)
            assert not closed.is_set()
            assert await reader.read_bytes(3) == b"abc"
            await closed.wait()
            assert reader.error is None

    run(main())


def test_a_reset_is_the_real_error_and_is_not_logged(caplog):
    async def main():
        listener = socket.create_server(("127.0.0.1", 0))
        stream = IOStream(socket.socket())
        await stream.connect(listener.getsockname())
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
        with pytest.raises(StreamClosedError) as caught:
            await stream.read_bytes(1)
        assert isinstance(caught.value.real_error, ConnectionResetError)
        listener.close()

    run(main())
    assert caplog.records == []


@pytest.mark.parametrize("early", [True, False])
def test_too_much_unread_data_closes_the_stream(caplog, early):
    async def main():
        with pair(max_buffer_size=1000) as (reader, writer):
            if early:
                writer.write(b"x" * 5000)
                with pytest.raises(StreamBufferFullError):
                    reader.read_until(b"\n")
            else:
                reading = reader.read_until(b"\n")
                writer.write(b"x" * 5000)
                with pytest.raises(StreamClosedError) as caught:
                    await reading
                assert isinstance(caught.value.real_error, StreamBufferFullError)
            assert reader.closed()

    run(main())
    assert [record.getMessage() for record in caplog.records] == ["Reached maximum read buffer size"]


def test_a_limit_on_what_waits_to_be_written():
    async def main():
        here, there = socket.socketpair()
        stream = IOStream(here, max_write_buffer_size=10)
        with pytest.raises(StreamBufferFullError):
            stream.write(b"x" * 11)
        await stream.write(b"x" * 10)
        assert not stream.closed()
        stream.close()
        there.close()

    run(main())


def test_a_write_is_done_when_the_system_has_it():
    async def main():
        with pair() as (reader, writer):
            done = []
            big = writer.write(b"a" * 4_000_000)
            big.add_done_callback(lambda _: done.append("big"))
            small = writer.write(b"b")
            small.add_done_callback(lambda _: done.append("small"))
            await asyncio.sleep(0.01)
            assert done == [] and writer.writing()
            assert len(await reader.read_bytes(4_000_001)) == 4_000_001
            await small
            await asyncio.sleep(0)
            assert done == ["big", "small"]

    run(main())


def test_nobody_need_look_at_what_failed(caplog):
    async def main():
        with pair() as (reader, writer):
            writer.write(b"x" * 10_000_000)
            writer.read_bytes(1)
            reader.close()
            await asyncio.sleep(0.02)
            assert writer.closed()

    run(main())
    assert caplog.records == []


def test_reading_into_a_buffer_takes_no_more_than_fits():
    async def main():
        with pair() as (reader, writer):
            await writer.write(b"0123456789")
            assert await reader.read_bytes(2) == b"01"
            buffer = bytearray(4)
            assert await reader.read_into(memoryview(buffer)[:3]) == 3
            assert buffer == b"234\0"
            assert await reader.read_into(bytearray(100), partial=True) == 5

    run(main())


def test_tls_cannot_begin_while_anything_is_going_on():
    async def main():
        with pair() as (reader, writer):
            reader.read_bytes(1)
            with pytest.raises(ValueError, match="not idle"):
                reader.start_tls(False)
            writer.close()
            with pytest.raises(ValueError, match="not idle"):
                writer.start_tls(False)
            reader.close()

    run(main())


def test_a_stream_may_be_over_anything():
    class Echo(BaseIOStream):
        """Reads back what was written to it; a socket pair is there to be watched only."""

        def __init__(self):
            super().__init__()
            self.socket, self.other = socket.socketpair()
            self.data = bytearray()

        def fileno(self):
            return self.socket

        def close_fd(self):
            self.socket.close()
            self.other.close()

        def write_to_fd(self, data):
            self.data += data[:3]
            self.other.send(b"!")
            return min(3, len(data))

        def read_from_fd(self, buf):
            if not self.data:
                return None
            count = min(2, len(self.data))
            buf[:count] = self.data[:count]
            del self.data[:count]
            return count

    async def main():
        stream = Echo()
        reading = stream.read_until(b"\n")
        await stream.write(b"hello, world\n")
        assert await reading == b"hello, world\n"
        stream.close()

    run(main())


def test_the_reader_of_a_pipe_may_go(caplog):
    async def main():
        read_end, write_end = os.pipe()
        writer = PipeIOStream(write_end)
        closed = asyncio.Event()
        writer.set_close_callback(closed.set)
        writer.write(b"x" * 1_000_000)
        os.close(read_end)
        await closed.wait()
        assert writer.closed()

    run(main())
    assert caplog.records == []


def all_ways(read_class, data, *args):
    """Return what a read finds when the data comes at once, and when it comes in random pieces."""
    whole = read_class(*args).locate(bytearray(data), True)
    read, buffer, at = read_class(*args), bytearray(), 0
    found = None
    while found is None and at < len(data):
        step = random.randint(1, 4)
        buffer += data[at : at + step]
        at += step
        found = read.locate(buffer, random.random() < 0.5)
    return whole, found if found is not None else read.locate(buffer, True)


def test_pieces_make_no_difference_to_what_is_found():
    async def main():
        random.seed(42)
        for _ in range(3000):
            data = bytes(random.choice(b"a\r\n") for _ in range(random.randint(0, 30)))
            match = re.search(b"\r?\n\r?\n", data)
            whole, pieces = all_ways(_ReadHead, data, 1000)
            assert whole == (match and match.end())
            assert (whole is None) == (pieces is None)
            assert pieces is None or pieces == whole
            whole, pieces = all_ways(_ReadUntil, data, b"\r\na", None)
            assert whole == pieces == (data.find(b"\r\na") + 3 if b"\r\na" in data else None)
            whole, pieces = all_ways(_ReadUntilRegex, data, re.compile(b"a\r+\n"), None)
            assert whole == pieces

    run(main())


def test_a_head_in_single_bytes_takes_linear_time():
    async def main():
        def seconds(size):
            read, buffer = _ReadHead(1 << 30), bytearray()
            start = time.perf_counter()
            for _ in range(size):
                buffer += b"\n" if len(buffer) % 2 else b"a"
                read.locate(buffer, True)
            return time.perf_counter() - start

        seconds(1000)
        assert seconds(64000) < 40 * seconds(8000)

    run(main())


def test_a_limit_counts_up_to_the_end_of_the_match():
    async def main():
        assert _ReadUntil(b"\n", 3).locate(bytearray(b"ab\ncdef"), True) == 3
        with pytest.raises(UnsatisfiableReadError):
            _ReadUntil(b"\n", 2).locate(bytearray(b"ab\n"), True)
        with pytest.raises(UnsatisfiableReadError):
            _ReadHead(3).locate(bytearray(b"abcd"), True)
        assert _ReadHead(4).locate(bytearray(b"abcd"), True) is None

    run(main())


def test_what_is_queued_comes_out_the_same():
    random.seed(42)
    queue, expected = _StreamBuffer(), bytearray()
    for _ in range(2000):
        data = bytes([random.randrange(256)]) * random.choice((0, 1, 100, 2047, 2048, 2049, 5000))
        queue.append(random.choice((bytes, bytearray, memoryview))(data))
        expected += data
        if random.random() < 0.5 and expected:
            with queue.peek(random.randint(1, 10000)) as front:
                count = len(front)
                assert front == expected[:count]
            queue.advance(count)
            del expected[:count]
        assert len(queue) == len(expected)


def test_a_bytearray_that_is_queued_may_change():
    queue, data = _StreamBuffer(), bytearray(b"x" * 5000)
    queue.append(data)
    data[0] = 0
    data += b"more"
    assert queue.peek(1) == b"x"
