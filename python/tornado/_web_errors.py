"""The exceptions of `tornado.web`, where applications find them."""

import http.client
from typing import Any, Optional

from tornado import _engine

responses = http.client.responses


class HTTPError(Exception):
    """Raised by a handler to answer with an error.

    .. code-block:: python

        raise HTTPError(404)
        raise HTTPError(400, "bad id: %r", item_id)

    ``status_code``: the status of the response.

    ``log_message``: what is logged, and never sent to the client; may have ``%s`` fields for the arguments that follow.

    ``reason``: a reason phrase, for a status that has none of its own.
    """

    def __init__(
        self, status_code: int = 500, log_message: Optional[str] = None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(status_code, log_message, *args)
        self.status_code = status_code
        self._log_message = log_message
        self.args = args
        self.reason = kwargs.get("reason", None)

    @property
    def log_message(self) -> Optional[str]:
        """The format of the message, for ``args``.

        .. deprecated:: 6.5
           Use `get_message`.
        """
        if self._log_message and not self.args:
            # A message that came without arguments is no format.
            return self._log_message.replace("%", "%%")
        return self._log_message

    def get_message(self) -> Optional[str]:
        """Return the message with its arguments, or ``None``.

        .. versionadded:: 6.5
        """
        if self._log_message and self.args:
            return self._log_message % self.args
        return self._log_message

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self.status_code, self._log_message, self.args, self.__dict__)

    def __str__(self) -> str:
        text = "HTTP %d: %s" % (self.status_code, self.reason or responses.get(self.status_code, "Unknown"))
        message = self.get_message()
        return f"{text} ({message})" if message else text


def _rebuild(cls: Any, status_code: int, log_message: Optional[str], args: Any, attributes: Any) -> HTTPError:
    """Make a copy of an error whose class may have an __init__ of its own."""
    error: HTTPError = cls.__new__(cls)
    HTTPError.__init__(error, status_code, log_message, *args)
    error.__dict__.update(attributes)
    return error


class Finish(Exception):
    """Raised by a handler to end a request without calling it an error: what was written until then is the response.

    .. code-block:: python

        raise Finish("this is all")

    .. versionchanged:: 4.3
       An argument is passed on to `RequestHandler.finish`.
    """


class MissingArgumentError(HTTPError):
    """Raised by `RequestHandler.get_argument` for an argument without a default that is not there: 400.

    .. versionadded:: 3.1
    """

    def __init__(self, arg_name: str) -> None:
        super().__init__(400, f"Missing argument {arg_name}")
        self.arg_name = arg_name


_engine.bind(http_error=HTTPError)
