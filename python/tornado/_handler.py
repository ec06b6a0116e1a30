"""`tornado.web.RequestHandler`: the Python half, over `tornado._engine.Handler`.

What every request needs is in the engine: status, headers, `write`, `flush`, `finish` and the order of the steps. Here is
what some requests need. Methods whose names begin with an underscore are called by the engine when something rare is to be
done.
"""

import hashlib
import html
import http.cookies
import json
import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Optional, Union

import tornado
from tornado import _engine, escape, httputil, locale
from tornado._errors import StreamClosedError
from tornado._signed import SignedCookies
from tornado._ui import Rendering
from tornado._web_errors import Finish, HTTPError, MissingArgumentError
from tornado.concurrent import Future
from tornado.escape import utf8
from tornado.log import app_log, gen_log
from tornado.routing import _unquote_or_none

if TYPE_CHECKING:
    from tornado.web import Application


class _ArgDefaultMarker:
    pass


_ARG_DEFAULT = _ArgDefaultMarker()

_Verb = Callable[..., Optional[Awaitable[None]]]

_SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")


class RequestHandler(_engine.Handler, Rendering, SignedCookies):
    """The base of all request handlers. A subclass has methods called ``get``, ``post`` and so on, one for each method
    of HTTP that it answers; they may be coroutines.

    .. code-block:: python

        class MainHandler(RequestHandler):
            def get(self, name):
                self.write({"hello": name})

    Handlers belong to the thread of their event loop; from elsewhere, use `.IOLoop.add_callback`. If a response shall not
    end with the method that answers, that method must be a coroutine.
    """

    SUPPORTED_METHODS: tuple[str, ...] = _SUPPORTED_METHODS

    _stream_request_body = False
    _remove_control_chars_regex = re.compile(r"[\x00-\x08\x0e-\x1f]")
    _prepared_future: "Optional[Future[None]]" = None

    application: "Application"

    def _unimplemented_method(self, *args: str, **kwargs: str) -> Optional[Awaitable[None]]:
        raise HTTPError(405)

    # Typed so that a subclass may take the arguments which its routes have.
    head: _Verb = _unimplemented_method
    get: _Verb = _unimplemented_method
    post: _Verb = _unimplemented_method
    delete: _Verb = _unimplemented_method
    patch: _Verb = _unimplemented_method
    put: _Verb = _unimplemented_method
    options: _Verb = _unimplemented_method

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the application."""
        return self.application.settings

    # -- For the engine --

    def _begin(self) -> None:
        """The handler was made by calling its class: prepare for a connection of whatever kind."""
        self.clear()
        connection = self.request.connection
        if connection is not None:
            connection.set_close_callback(self.on_connection_close)

    def _default_headers(self) -> httputil.HTTPHeaders:
        return httputil.HTTPHeaders(
            {
                "Server": f"TornadoServer/{tornado.version}",
                "Content-Type": "text/html; charset=UTF-8",
                "Date": httputil.format_timestamp(time.time()),
            }
        )

    def _check_method(self) -> None:
        if self.request.method not in self.SUPPORTED_METHODS:
            raise HTTPError(405)

    def _parse_request_body(self) -> None:
        if self._stream_request_body:
            return
        try:
            self.request._parse_body()
        except httputil.HTTPInputError as e:
            raise HTTPError(400, "Invalid body: %s", e) from e

    def _check_xsrf(self) -> None:
        if (
            self.request.method not in ("GET", "HEAD", "OPTIONS")
            and self.application.settings.get("xsrf_cookies")
        ):
            self.check_xsrf_cookie()

    def _decode_group(self, group: str, name: Optional[str]) -> str:
        return self.decode_argument(_unquote_or_none(group), name)  # type: ignore[arg-type]

    def _decode_groups(self) -> None:
        decode = self.decode_argument
        self.path_args = [None if arg is None else decode(arg) for arg in self.path_args]
        self.path_kwargs = {
            name: None if arg is None else decode(arg, name=name) for name, arg in self.path_kwargs.items()
        }

    def _emit_cookies(self) -> None:
        for cookie in self._new_cookie.values():
            self.add_header("Set-Cookie", cookie.OutputString(None))

    def _slow_flush(self, last: bool) -> "Future[None]":
        """`flush` for a response that transforms change, or whose connection is not the engine's."""
        connection = self.request.connection
        assert connection is not None
        chunk = b"".join(self._write_buffer)
        self._write_buffer = []
        head = self.request.method == "HEAD"
        if self._headers_written:
            for transform in self._transforms:
                chunk = transform.transform_chunk(chunk, last)
            if head:
                done: Future[None] = Future()
                done.set_result(None)
                return done
            return connection.write(chunk)
        self._headers_written = True
        for transform in self._transforms:
            self._status_code, self._headers, chunk = transform.transform_first_chunk(
                self._status_code, self._headers, chunk, last
            )
        if "_new_cookie" in self.__dict__:
            self._emit_cookies()
        start_line = httputil.ResponseStartLine("", self._status_code, self._reason)
        return connection.write_headers(start_line, self._headers, b"" if head else chunk)

    def _slow_etag(self) -> Optional[str]:
        digest = hashlib.sha1()
        for part in self._write_buffer:
            digest.update(part)
        return f'"{digest.hexdigest()}"'

    def _slow_check_etag(self) -> bool:
        computed = utf8(self._headers.get("Etag", ""))
        # The list of RFC 9110, 13.1.2, compared weakly.
        listed = re.findall(rb'\*|(?:W/)?"[^"]*"', utf8(self.request.headers.get("If-None-Match", "")))
        if not computed or not listed:
            return False
        if listed[0] == b"*":
            return True
        return computed.removeprefix(b"W/") in (etag.removeprefix(b"W/") for etag in listed)

    def _body_arrived(self) -> Any:
        if self._prepared_future is not None and not self._prepared_future.done():
            self._prepared_future.set_result(None)
        return self.request._body_future  # type: ignore[attr-defined]

    # -- Input --

    def data_received(self, chunk: bytes) -> Optional[Awaitable[None]]:
        """Called with each piece of the body, in a class with `.stream_request_body`; may be a coroutine.

        .. versionadded:: 4.0
        """
        raise NotImplementedError()

    def get_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """Return the value of an argument of the query or of a form in the body; the last one, if there are several.

        Without a ``default``, `MissingArgumentError` is raised if there is none. ``strip`` removes blanks around it.
        """
        return self._get_argument(name, default, self.request.arguments, strip)

    def get_arguments(self, name: str, strip: bool = True) -> list[str]:
        """Return all values of an argument; an empty list if there is none."""
        # To pass a default here is a common mistake, and would be taken for `strip`.
        assert isinstance(strip, bool)
        return self._get_arguments(name, self.request.arguments, strip)

    def get_body_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """`get_argument` for arguments of the body only.

        .. versionadded:: 3.2
        """
        return self._get_argument(name, default, self.request.body_arguments, strip)

    def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
        """`get_arguments` for arguments of the body only.

        .. versionadded:: 3.2
        """
        return self._get_arguments(name, self.request.body_arguments, strip)

    def get_query_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """`get_argument` for arguments of the query only.

        .. versionadded:: 3.2
        """
        return self._get_argument(name, default, self.request.query_arguments, strip)

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """`get_arguments` for arguments of the query only.

        .. versionadded:: 3.2
        """
        return self._get_arguments(name, self.request.query_arguments, strip)

    def _clean_argument(self, text: str, strip: bool) -> str:
        # No control characters but tabs and line ends: they do harm in logs and in XML.
        text = self._remove_control_chars_regex.sub(" ", text)
        return text.strip() if strip else text

    def decode_argument(self, value: bytes, name: Optional[str] = None) -> str:
        """Return an argument as text. Subclasses may take it for another encoding than UTF-8.

        ``name``: of the argument; ``None`` for an unnamed group of the route.

        Raises `HTTPError` 400 for bytes that are not UTF-8.
        """
        try:
            return escape._unicode(value)
        except UnicodeDecodeError:
            raise HTTPError(400, "Invalid unicode in %s: %r" % (name or "url", value[:40])) from None

    @property
    def cookies(self) -> dict[str, http.cookies.Morsel[str]]:
        """The same as ``self.request.cookies``."""
        return self.request.cookies

    def get_cookie(self, name: str, default: Optional[str] = None) -> Optional[str]:
        """Return the value of a cookie that the client sent."""
        cookies = self.request.cookies
        return cookies[name].value if cookies is not None and name in cookies else default

    # -- Cookies to be set --

    def set_cookie(
        self,
        name: str,
        value: Union[str, bytes],
        domain: Optional[str] = None,
        expires: Optional[Union[float, tuple[Any, ...], datetime]] = None,
        path: str = "/",
        expires_days: Optional[float] = None,
        *,
        max_age: Optional[int] = None,
        httponly: bool = False,
        secure: bool = False,
        samesite: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        """Set a cookie. It is sent with the headers; one that was set before with the same name is replaced.

        ``expires``: a number as of `time.time`, a time tuple, or a `~datetime.datetime`. ``expires_days``: the same as days
        from now on; ``expires`` counts if both are given.

        Raises `ValueError` for a value with blanks or control characters, and `http.cookies.CookieError` for attributes
        that could not be sent.

        .. versionchanged:: 6.3
           The arguments behind the asterisk.
        """
        name = escape.native_str(name)
        value = escape.native_str(value)
        if re.search(r"[\x00-\x20]", value):
            raise ValueError(f"Invalid cookie {name!r}: {value!r}")
        for what, attribute in (("name", name), ("domain", domain), ("path", path), ("samesite", samesite)):
            if attribute is not None and re.search(r"[\x00-\x20\x3b\x7f]", attribute):
                raise http.cookies.CookieError(f"Invalid cookie attribute {what}={attribute!r} for cookie {name!r}")
        if not hasattr(self, "_new_cookie"):
            self._new_cookie: http.cookies.SimpleCookie[str] = http.cookies.SimpleCookie()
        if name in self._new_cookie:
            del self._new_cookie[name]
        self._new_cookie[name] = value
        morsel = self._new_cookie[name]
        if domain:
            morsel["domain"] = domain
        if expires_days is not None and not expires:
            expires = datetime.now(timezone.utc) + timedelta(days=expires_days)
        if expires:
            morsel["expires"] = httputil.format_timestamp(expires)
        if path:
            morsel["path"] = path
        if max_age:
            morsel["max-age"] = str(max_age)
        if httponly:
            morsel["httponly"] = True
        if secure:
            morsel["secure"] = True
        if samesite:
            morsel["samesite"] = samesite
        for key, attribute in kwargs.items():
            key = "max-age" if key == "max_age" else key
            # False would be written out as the name of the attribute.
            if key in ("httponly", "secure") and not attribute:
                continue
            morsel[key] = attribute

    def clear_cookie(self, name: str, **kwargs: Any) -> None:
        """Ask the client to forget a cookie; ``path``, ``domain`` and so on must be those that it was set with.

        .. versionchanged:: 6.3
           Takes all arguments of `set_cookie` but ``expires``, ``expires_days`` and ``max_age``.
        """
        for excluded in ("expires", "max_age"):
            if excluded in kwargs:
                raise TypeError(f"clear_cookie() got an unexpected keyword argument '{excluded}'")
        expires = datetime.now(timezone.utc) - timedelta(days=365)
        self.set_cookie(name, value="", expires=expires, **kwargs)

    def clear_all_cookies(self, **kwargs: Any) -> None:
        """Ask the client to forget every cookie of this request.

        .. deprecated:: 6.3
           Clear them one by one, with the attributes that they were set with.
        """
        for name in self.request.cookies:
            self.clear_cookie(name, **kwargs)

    # -- Output --

    def redirect(self, url: str, permanent: bool = False, status: Optional[int] = None) -> None:
        """Answer with a redirect: 302, or 301 if ``permanent``, or any ``status`` from 300 to 399."""
        if self._headers_written:
            raise Exception("Cannot redirect after headers have been written")
        if status is None:
            status = 301 if permanent else 302
        else:
            assert isinstance(status, int) and 300 <= status <= 399
        self.set_status(status)
        self.set_header("Location", utf8(url))
        self.finish()

    def detach(self) -> Any:
        """Take the stream of this request out of HTTP's hands. The response is not finished then, but left alone."""
        self._finished = True
        return self.request.connection.detach()  # type: ignore[union-attr]

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error page, which `write_error` makes, in place of what was written so far.

        ``kwargs`` are passed on to `write_error`. If the headers have been sent already, the response breaks off.
        """
        if self._headers_written:
            gen_log.error("Cannot send error response after headers written")
            if not self._finished:
                # What was announced cannot be held; the connection ends.
                try:
                    self.finish()
                except Exception:
                    gen_log.error("Failed to flush partial response", exc_info=True)
            return
        self.clear()
        reason = kwargs.get("reason")
        if "exc_info" in kwargs:
            exception = kwargs["exc_info"][1]
            if isinstance(exception, HTTPError) and exception.reason:
                reason = exception.reason
        self.set_status(status_code, reason=reason)
        try:
            self.write_error(status_code, **kwargs)
        except Exception:
            app_log.error("Uncaught exception in write_error", exc_info=True)
        if not self._finished:
            self.finish()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the page of an error. Subclasses make their own; they may use `write`, `render` and so on.

        ``kwargs`` has ``exc_info`` if there was an exception; it may not be the current one.
        """
        if status_code in (204, 304) or 100 <= status_code < 200:
            # These have no body, not even to say what is wrong.
            self.finish()
        elif self.settings.get("serve_traceback") and "exc_info" in kwargs:
            self.set_header("Content-Type", "text/plain")
            for line in traceback.format_exception(*kwargs["exc_info"]):
                self.write(line)
            self.finish()
        else:
            self.finish(
                "<html><title>%(code)d: %(message)s</title><body>%(code)d: %(message)s</body></html>"
                % {"code": status_code, "message": html.escape(self._reason)}
            )

    # -- Errors --

    def _handle_request_exception(self, e: BaseException) -> None:
        if isinstance(e, Finish):
            if not self._finished:
                self.finish(*e.args)
            return
        try:
            self.log_exception(*sys.exc_info())
        except Exception:
            # The page of the error must be made even so.
            app_log.error("Error in exception logger", exc_info=True)
        if self._finished:
            # There is a response already; nothing can be added to it.
            return
        if isinstance(e, HTTPError):
            self.send_error(e.status_code, exc_info=sys.exc_info())
        else:
            self.send_error(500, exc_info=sys.exc_info())

    def log_exception(self, typ: Any, value: Optional[BaseException], tb: Any) -> None:
        """Log an exception that a handler has let through: an `HTTPError` with a message as a warning on
        ``tornado.general``, all else as an error on ``tornado.application``. Subclasses may do it otherwise.

        .. versionadded:: 3.1
        """
        if isinstance(value, HTTPError):
            message = value.get_message()
            if message:
                gen_log.warning("%d %s: %s", value.status_code, self._request_summary(), message)
        else:
            app_log.error(
                "Uncaught exception %s\n%r", self._request_summary(), self.request, exc_info=(typ, value, tb)
            )

    def _request_summary(self) -> str:
        return f"{self.request.method} {self.request.uri} ({self.request.remote_ip})"

    # -- Who is there, and what language --

    @property
    def current_user(self) -> Any:
        """The user, as `get_current_user` says; asked once a request. It may be set, for instance in `prepare`."""
        if not hasattr(self, "_current_user"):
            self._current_user = self.get_current_user()
        return self._current_user

    @current_user.setter
    def current_user(self, value: Any) -> None:
        self._current_user = value

    def get_current_user(self) -> Any:
        """Return the user, from a cookie for instance. For subclasses; not a coroutine."""
        return None

    def get_login_url(self) -> str:
        """Return the page to log in at: the setting ``login_url``. For `.authenticated`."""
        self.require_setting("login_url", "@tornado.web.authenticated")
        return self.application.settings["login_url"]

    def require_setting(self, name: str, feature: str = "this feature") -> None:
        """Raise an exception if a setting is missing."""
        if not self.application.settings.get(name):
            raise Exception(f"You must define the '{name}' setting in your application to use {feature}")

    @property
    def locale(self) -> Any:
        """The locale: that of `get_user_locale`, else that of `get_browser_locale`. It may be set."""
        if not hasattr(self, "_locale"):
            self._locale = self.get_user_locale() or self.get_browser_locale()
        return self._locale

    @locale.setter
    def locale(self, value: Any) -> None:
        self._locale = value

    def get_user_locale(self) -> Any:
        """Return the locale of the user, or ``None`` for the browser's. For subclasses."""
        return None

    def get_browser_locale(self, default: str = "en_US") -> Any:
        """Return the locale that ``Accept-Language`` likes best among those there are."""
        wanted: list[tuple[str, float]] = []
        for language in self.request.headers.get("Accept-Language", "").split(","):
            parts = language.strip().split(";")
            quality = 1.0
            if len(parts) > 1 and parts[1].strip().startswith("q="):
                try:
                    quality = float(parts[1].strip()[2:])
                except ValueError:
                    quality = 0.0
            if quality > 0 and parts[0]:
                wanted.append((parts[0], quality))
        if not wanted:
            return locale.get(default)
        return locale.get(*(code for code, _ in sorted(wanted, key=lambda pair: pair[1], reverse=True)))

    def reverse_url(self, name: str, *args: Any) -> str:
        """Return the URL of a named route. The same as `.Application.reverse_url`."""
        return self.application.reverse_url(name, *args)

    # -- Forgery of requests --

    @property
    def xsrf_token(self) -> bytes:
        """The token of this client against forged requests, masked anew for each response.

        .. versionchanged:: 3.2.2
           Masked, so that compression tells nothing about it.
        """
        return _xsrf_token(self)

    def check_xsrf_cookie(self) -> None:
        """Raise `HTTPError` 403 unless the request has the token of its cookie in an argument or a header."""
        _check_xsrf_cookie(self)

    def xsrf_form_html(self) -> str:
        """Return the hidden element that a form needs which is sent by POST."""
        return '<input type="hidden" name="_xsrf" value="' + escape.xhtml_escape(self.xsrf_token) + '"/>'

    def _get_raw_xsrf_token(self) -> tuple[Optional[int], bytes, float]:
        return _raw_xsrf_token(self)

    def _decode_xsrf_token(self, cookie: str) -> tuple[Optional[int], Optional[bytes], Optional[float]]:
        return _decode_xsrf_token(cookie)

    def on_connection_close(self) -> None:
        """Called when the client goes away before the response is complete. For subclasses, to give up what is not
        needed any more; the method of the request goes on.
        """
        body = getattr(self.request, "_body_future", None)
        if body is not None and not body.done():
            body.set_exception(StreamClosedError())
            body.exception()


from tornado._xsrf import _check_xsrf_cookie, _decode_xsrf_token, _raw_xsrf_token, _xsrf_token  # noqa: E402

RequestHandler.__module__ = "tornado.web"
_engine.bind(
    escape=escape,
    json=json,
    json_encode=escape.json_encode,
    json_dumps=json.dumps,
    format_timestamp=httputil.format_timestamp,
    datetime=datetime,
    missing_argument_error=MissingArgumentError,
    no_default=_ARG_DEFAULT,
)
_engine.remember_hooks(RequestHandler)
