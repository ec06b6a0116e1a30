"""TLS on connections of the engine, where Python looks at them: their sockets, and the streams that they become.

The engine feeds a `ssl.SSLObject` through two `ssl.MemoryBIO`, one for what comes in and one for what goes out.
"""

import functools
import os
import socket
import ssl
from typing import Any

from tornado.iostream import IOStream

# How much goes through the ssl module at a time.
_PIECE_SIZE = 65536


class DuplicateSocket(socket.socket):
    """A socket with a duplicate of a descriptor. That nobody closes it is nothing to warn of."""

    def __del__(self) -> None:
        self.close()


class TLSSocket:
    """The socket of a TLS connection. What the ssl module adds to sockets is there too: ``getpeercert``, ``version``, ..."""

    def __init__(self, connection: Any, ssl_object: ssl.SSLObject) -> None:
        self._connection = connection
        self._ssl_object = ssl_object

    @functools.cached_property
    def _plain(self) -> socket.socket:
        return DuplicateSocket(fileno=os.dup(self._connection.fileno()))

    def __getattr__(self, name: str) -> Any:
        if hasattr(self._ssl_object, name):
            return getattr(self._ssl_object, name)
        return getattr(self._plain, name)


class DetachedTLSStream(IOStream):
    """What ``request.connection.detach()`` gives for a connection with TLS: that goes on where the engine has left it."""

    def __init__(
        self, plain: socket.socket, ssl_object: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> None:
        self.ssl_object = ssl_object
        self._incoming = incoming
        self._outgoing = outgoing
        self._unsent = b""
        self._claimed = 0  # bytes of our output that `_unsent` stands for
        super().__init__(plain)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        while True:
            try:
                return self.ssl_object.read(min(len(buf), _PIECE_SIZE), buf)  # type: ignore[arg-type]
            except ssl.SSLWantReadError:
                pass
            self._push()
            try:
                data = self.socket.recv(_PIECE_SIZE)
            except BlockingIOError:
                return None
            if not data:
                return 0
            self._incoming.write(data)

    def write_to_fd(self, data: memoryview) -> int:
        # What was encrypted counts as written when it has left: nobody else would send it then.
        if self._push() and not self._claimed:
            self._claimed = self.ssl_object.write(data[:_PIECE_SIZE])
        if not self._push():
            return 0
        count, self._claimed = self._claimed, 0
        return count

    def _push(self) -> bool:
        """Send what was encrypted; whether nothing is left."""
        self._unsent += self._outgoing.read()
        while self._unsent:
            try:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            except BlockingIOError:
                return False
        return True

    def close_fd(self) -> None:
        try:
            if not self._unsent:
                self.ssl_object.unwrap()
        except (ssl.SSLError, ValueError):
            pass  # the other side has not said goodbye yet, or will not
        try:
            self._push()
        except OSError:
            pass
        super().close_fd()
