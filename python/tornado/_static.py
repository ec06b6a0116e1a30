"""`tornado.web.StaticFileHandler`: files of a directory, with conditions, ranges and versions in their URLs."""

import hashlib
import mimetypes
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Optional, Union

from tornado import httputil
from tornado._errors import StreamClosedError
from tornado._handler import RequestHandler
from tornado._web_errors import HTTPError
from tornado.log import gen_log

_CHUNK_BYTES = 64 * 1024


class _Part(NamedTuple):
    """What to send of a file: from ``start`` up to, but not including, ``end``; ``None`` where the request says nothing."""

    start: Optional[int]
    end: Optional[int]
    size: int

    @property
    def length(self) -> int:
        return (self.size if self.end is None else self.end) - (self.start or 0)


def _read(path: str, start: Optional[int], end: Optional[int]) -> Iterator[bytes]:
    with open(path, "rb") as file:
        if start is not None:
            file.seek(start)
        left = None if end is None else end - (start or 0)
        while left is None or left > 0:
            chunk = file.read(_CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk


class StaticFileHandler(RequestHandler):
    """Serves the files of a directory.

    The setting ``static_path`` makes an application serve one at ``/static/``; others are served by routes:

    .. code-block:: python

        (r"/content/(.*)", StaticFileHandler, {"path": "/var/www", "default_filename": "index.html"})

    The group of the route is the path of the file. `make_static_url` makes URLs with a version, which browsers may keep for
    very long, as they change when the file does.

    ``path``: the directory. ``default_filename``: what to serve for a directory; without it there is nothing.

    Subclasses may take their content from elsewhere, and have methods of these for it: `get_content`, `get_content_size`,
    `get_modified_time`, `get_content_version`, `get_absolute_path`, `validate_absolute_path`. They may lay out their URLs
    differently with `make_static_url` and `parse_url_path`, and set headers with `set_extra_headers`, `get_cache_time` and
    `get_content_type`. Those which are class methods must stay class methods.

    .. versionchanged:: 3.1
       Made for subclasses.
    """

    #: How long a browser may keep what has a version in its URL: ten years.
    CACHE_MAX_AGE = 86400 * 365 * 10

    # The versions of files, for all handlers of the process.
    _static_hashes: dict[str, Optional[str]] = {}
    _lock = threading.Lock()

    def initialize(self, path: str, default_filename: Optional[str] = None) -> None:
        self.root = path
        self.default_filename = default_filename

    @classmethod
    def reset(cls) -> None:
        """Forget the versions of all files."""
        with cls._lock:
            cls._static_hashes.clear()

    # -- Answering --

    def head(self, path: str) -> Any:
        return self.get(path, include_body=False)

    async def get(self, path: str, include_body: bool = True) -> None:
        # The methods of subclasses look at these attributes.
        self.path = self.parse_url_path(path)
        absolute_path = self.validate_absolute_path(self.root, self.get_absolute_path(self.root, self.path))
        if absolute_path is None:
            return  # there is an answer
        self.absolute_path = absolute_path
        self.modified = self.get_modified_time()
        self.set_headers()
        if self.should_return_304():
            self.set_status(304)
            return
        part = self._requested_part(self.get_content_size())
        if part is None:
            return
        self.set_header("Content-Length", part.length)
        if include_body:
            await self._send(self.get_content(absolute_path, part.start, part.end))

    def _requested_part(self, size: int) -> Optional[_Part]:
        """What the request wants of so many bytes; the status is set to it. ``None`` if that cannot be had."""
        header = self.request.headers.get("Range")
        # RFC 9110, 14.2: a field that cannot be understood counts for nothing.
        wanted = httputil._parse_request_range(header) if header else None
        if wanted is None:
            return _Part(None, None, size)
        start, end = wanted
        if start is not None and start < 0:
            start = max(start + size, 0)
        empty = end == 0 or (start is not None and (start >= size or (end is not None and start >= end)))
        if empty:
            # RFC 9110, 15.5.17
            self.set_status(416)
            self.set_header("Content-Type", "text/plain")
            self.set_header("Content-Range", f"bytes */{size}")
            return None
        part = _Part(start, None if end is None else min(end, size), size)
        if part.length != size:
            # Some browsers do not play what comes whole, but as a part.
            self.set_status(206)
            self.set_header("Content-Range", httputil._get_content_range(part.start, part.end, size))
        return part

    async def _send(self, content: Union[bytes, Iterable[bytes]]) -> None:
        for chunk in [content] if isinstance(content, bytes) else content:
            try:
                self.write(chunk)
                await self.flush()
            except StreamClosedError:
                return

    # -- Headers --

    def set_headers(self) -> None:
        """Set the headers of the file. For subclasses, `set_extra_headers` is meant rather than this."""
        self.set_header("Accept-Ranges", "bytes")
        self.set_etag_header()
        if self.modified is not None:
            self.set_header("Last-Modified", self.modified)
        content_type = self.get_content_type()
        if content_type:
            self.set_header("Content-Type", content_type)
        keep_s = self.get_cache_time(self.path, self.modified, content_type)
        if keep_s > 0:
            self.set_header("Expires", datetime.now(timezone.utc) + timedelta(seconds=keep_s))
            self.set_header("Cache-Control", f"max-age={keep_s}")
        self.set_extra_headers(self.path)

    def compute_etag(self) -> Optional[str]:
        """Return the Etag: the version of the file, also where only a part of it is sent.

        .. versionadded:: 3.1
        """
        assert self.absolute_path is not None
        version = self._get_cached_version(self.absolute_path)
        return f'"{version}"' if version else None

    def should_return_304(self) -> bool:
        """Return whether the client has the file already.

        .. versionadded:: 3.1
        """
        # RFC 9110, 13.2.2: an Etag counts more than a date.
        if self.request.headers.get("If-None-Match"):
            return bool(self.check_etag_header())
        since = self.request.headers.get("If-Modified-Since")
        if since is None or self.modified is None:
            return False
        try:
            date = parsedate_to_datetime(since)
        except (TypeError, ValueError, OverflowError):
            return False
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        return date >= self.modified

    def set_extra_headers(self, path: str) -> None:
        """For subclasses, to set further headers."""

    def get_cache_time(self, path: str, modified: Optional[datetime], mime_type: str) -> int:
        """Return for how many seconds a browser may keep the file without asking again; 0 to say nothing about it.

        That is `CACHE_MAX_AGE` where the URL has a version, the argument ``v``.
        """
        return self.CACHE_MAX_AGE if "v" in self.request.arguments else 0

    def get_content_type(self) -> str:
        """Return the ``Content-Type``.

        .. versionadded:: 3.1
        """
        assert self.absolute_path is not None
        mime_type, encoding = mimetypes.guess_type(self.absolute_path)
        if encoding == "gzip":
            # RFC 6713. The file is sent as it is, and nobody shall unpack it on the way.
            return "application/gzip"
        if encoding is not None or mime_type is None:
            return "application/octet-stream"
        return mime_type

    # -- Where files are --

    def parse_url_path(self, url_path: str) -> str:
        """Return the path of a file for what the URL has. The opposite of `make_static_url`."""
        return url_path if os.path.sep == "/" else url_path.replace("/", os.path.sep)

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Return where a path below a directory is.

        .. versionadded:: 3.1
        """
        return os.path.abspath(os.path.join(root, path))

    def validate_absolute_path(self, root: str, absolute_path: str) -> Optional[str]:
        """Return the path to serve, which may be another one, or ``None`` after answering in another way.

        Raises `HTTPError` for a path that is not to be served: 403 if it is not below ``root``.

        .. versionadded:: 3.1
        """
        # With the separator, or "/var/www-private" would be in "/var/www". The root of all ends with one already.
        root = os.path.abspath(root)
        if not root.endswith(os.path.sep):
            root += os.path.sep
        if not (absolute_path + os.path.sep).startswith(root):
            raise HTTPError(403, "%s is not in root static directory", self.path)
        if os.path.isdir(absolute_path) and self.default_filename is not None:
            # Without the slash, relative links of the page would lead astray.
            if not self.request.path.endswith("/"):
                if self.request.path.startswith("//"):
                    # A browser takes such a location for that of another host.
                    raise HTTPError(403, "cannot redirect path with two initial slashes")
                self.redirect(self.request.path + "/", permanent=True)
                return None
            absolute_path = os.path.join(absolute_path, self.default_filename)
        if not os.path.exists(absolute_path):
            raise HTTPError(404)
        if not os.path.isfile(absolute_path):
            raise HTTPError(403, "%s is not a file", self.path)
        return absolute_path

    # -- What is in them --

    @classmethod
    def get_content(
        cls, abspath: str, start: Optional[int] = None, end: Optional[int] = None
    ) -> Union[bytes, Iterable[bytes]]:
        """Return the content of a file, or the part from ``start`` up to ``end``: as bytes, or as an iterator of them.

        .. versionadded:: 3.1
        """
        return _read(abspath, start, end)

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """Return a text that changes when the content does: the SHA-512 of it.

        .. versionadded:: 3.1
        """
        content = cls.get_content(abspath)
        digest = hashlib.sha512()
        for chunk in [content] if isinstance(content, bytes) else content:
            digest.update(chunk)
        return digest.hexdigest()

    def _stat(self) -> os.stat_result:
        assert self.absolute_path is not None
        if not hasattr(self, "_stat_result"):
            self._stat_result = os.stat(self.absolute_path)
        return self._stat_result

    def get_content_size(self) -> int:
        """Return how many bytes the whole file has.

        .. versionadded:: 3.1
        """
        return self._stat()[stat.ST_SIZE]

    def get_modified_time(self) -> Optional[datetime]:
        """Return when the file was changed last, in whole seconds as HTTP has them, or ``None``.

        .. versionadded:: 3.1
        """
        return datetime.fromtimestamp(int(self._stat()[stat.ST_MTIME]), timezone.utc)

    # -- Versions in URLs --

    @classmethod
    def make_static_url(cls, settings: dict[str, Any], path: str, include_version: bool = True) -> str:
        """Return the URL of a file below the setting ``static_path``, with its version unless there is none.

        A class method, without a request: `RequestHandler.static_url` adds the host where it is wanted.
        """
        url = settings.get("static_url_prefix", "/static/") + path
        version = cls.get_version(settings, path) if include_version else None
        return f"{url}?v={version}" if version else url

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> Optional[str]:
        """Return the version of a file below the setting ``static_path``, or ``None`` if it cannot be read.

        .. versionchanged:: 3.1
           Subclasses have `get_content_version` instead.
        """
        return cls._get_cached_version(cls.get_absolute_path(settings["static_path"], path))

    @classmethod
    def _get_cached_version(cls, abspath: str) -> Optional[str]:
        with cls._lock:
            if abspath not in cls._static_hashes:
                try:
                    cls._static_hashes[abspath] = cls.get_content_version(abspath)
                except Exception:
                    gen_log.error("Could not open static file %r", abspath)
                    cls._static_hashes[abspath] = None
            return cls._static_hashes[abspath]


StaticFileHandler.__module__ = "tornado.web"
