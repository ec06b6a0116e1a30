"""Tokens against forged requests, behind `RequestHandler.xsrf_token` and `check_xsrf_cookie`.

A client gets 16 random bytes in a cookie, and proves with each request that changes something that it can read them, by
sending them in an argument or a header. Version 2 masks the bytes with others that are new in each response, so that
compressing responses does not give them away.
"""

import binascii
import hmac
import os
import time
from typing import TYPE_CHECKING, Any, Optional

from tornado.escape import utf8
from tornado.log import gen_log
from tornado._web_errors import HTTPError

if TYPE_CHECKING:
    from tornado._handler import RequestHandler

_COOKIE = "_xsrf"


def _mask(mask: bytes, data: bytes) -> bytes:
    """Combine data with a mask of four bytes, again and again."""
    return bytes(byte ^ mask[i & 3] for i, byte in enumerate(data))


def _xsrf_token(handler: "RequestHandler") -> bytes:
    kept: Optional[bytes] = handler.__dict__.get("_xsrf_token")
    if kept is not None:
        return kept
    settings = handler.settings
    version, token, timestamp = handler._get_raw_xsrf_token()
    output_version = settings.get("xsrf_cookie_version", 2)
    if output_version == 1:
        result = binascii.b2a_hex(token)
    elif output_version == 2:
        mask = os.urandom(4)
        parts = [b"2", binascii.b2a_hex(mask), binascii.b2a_hex(_mask(mask, token)), utf8(str(int(timestamp)))]
        result = b"|".join(parts)
    else:
        raise ValueError(f"unknown xsrf cookie version {output_version}")
    handler._xsrf_token = result  # type: ignore[attr-defined]
    if version is None:
        kwargs: dict[str, Any] = dict(settings.get("xsrf_cookie_kwargs", {}))
        if handler.current_user and "expires_days" not in kwargs:
            kwargs["expires_days"] = 30
        handler.set_cookie(settings.get("xsrf_cookie_name", _COOKIE), result, **kwargs)
    return result


def _raw_xsrf_token(handler: "RequestHandler") -> tuple[Optional[int], bytes, float]:
    """The version, the token and the time of the client's cookie; a new token, and no version, if it has none."""
    kept: Any = handler.__dict__.get("_raw_xsrf_token")
    if kept is None:
        cookie = handler.get_cookie(handler.settings.get("xsrf_cookie_name", _COOKIE))
        version, token, timestamp = handler._decode_xsrf_token(cookie) if cookie else (None, None, None)
        if token is None:
            version, token, timestamp = None, os.urandom(16), time.time()
        assert timestamp is not None
        kept = handler._raw_xsrf_token = (version, token, timestamp)  # type: ignore[attr-defined]
    return kept


def _decode_xsrf_token(cookie: str) -> tuple[Optional[int], Optional[bytes], Optional[float]]:
    try:
        if cookie.startswith("2|"):
            _, mask, masked, timestamp = utf8(cookie).split(b"|")
            mask = binascii.a2b_hex(mask)
            if len(mask) != 4:
                raise ValueError("the mask is not four bytes long")
            return 2, _mask(mask, binascii.a2b_hex(masked)), int(timestamp)
        if cookie[:1].isdigit() and cookie[1:2] == "|":
            raise Exception("Unknown xsrf cookie version")
        try:
            token = binascii.a2b_hex(utf8(cookie))
        except (binascii.Error, TypeError):
            token = utf8(cookie)
        # The first version has no time.
        return 1, token, int(time.time())
    except Exception:
        gen_log.debug("Uncaught exception in _decode_xsrf_token", exc_info=True)
        return None, None, None


def _check_xsrf_cookie(handler: "RequestHandler") -> None:
    headers = handler.request.headers
    given = (
        handler.get_argument("_xsrf", None) or headers.get("X-Xsrftoken") or headers.get("X-Csrftoken")
    )
    if not given:
        raise HTTPError(403, "'_xsrf' argument missing from POST")
    _, token, _ = handler._decode_xsrf_token(given)
    _, expected, _ = handler._get_raw_xsrf_token()
    if not token:
        raise HTTPError(403, "'_xsrf' argument has invalid format")
    if not hmac.compare_digest(utf8(token), utf8(expected)):
        raise HTTPError(403, "XSRF cookie does not match POST argument")
