"""Exceptions that belong to `tornado.iostream`, for the modules which stand beneath it."""

from typing import Optional

from tornado import _engine


class StreamClosedError(OSError):
    """Raised, or put into a Future, when a stream is closed, by the peer or by a failure.

    ``real_error`` is the failure that closed it, if there was one.

    .. versionchanged:: 4.3
       The ``real_error`` attribute.
    """

    def __init__(self, real_error: Optional[BaseException] = None) -> None:
        super().__init__("Stream is closed")
        self.real_error = real_error


_engine.bind(stream_closed_error=StreamClosedError)
