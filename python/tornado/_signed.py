"""Values that a client keeps and cannot change: what `RequestHandler.set_signed_cookie` sends.

A signed value is readable by everyone; only the signature is a secret. It covers the name and the time as well, so that a
value cannot be passed off under another name, nor for ever. There are two formats; their shapes are given below.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Optional, Union

from tornado.escape import utf8
from tornado.log import gen_log

#: The versions that can be read, and those that are written and accepted if nothing else is said.
MIN_SUPPORTED_SIGNED_VALUE_VERSION = 1
MAX_SUPPORTED_SIGNED_VALUE_VERSION = 2
DEFAULT_SIGNED_VALUE_VERSION = 2
DEFAULT_SIGNED_VALUE_MIN_VERSION = 1

# A secret, or several with a number each.
_Secret = Union[str, bytes, dict[int, Union[str, bytes]]]

_DAY_S = 86400


def create_signed_value(
    secret: _Secret,
    name: str,
    value: Union[str, bytes],
    version: Optional[int] = None,
    clock: Optional[Callable[[], float]] = None,
    key_version: Optional[int] = None,
) -> bytes:
    """Return a value with its name, the time and a signature.

    ``secret``: the key, or a dictionary of keys, of which ``key_version`` names one. ``version``: of the format; 2 if it is
    not said. ``clock``: in place of `time.time`.
    """
    if version is None:
        version = DEFAULT_SIGNED_VALUE_VERSION
    timestamp = utf8(str(int((clock or time.time)())))
    value = base64.b64encode(utf8(value))
    if version == 1:
        assert not isinstance(secret, dict), "the first format has no numbers for keys"
        return b"|".join([value, timestamp, _create_signature_v1(secret, name, value, timestamp)])
    if version != 2:
        raise ValueError(f"Unsupported version {version}")
    fields = [utf8(str(key_version or 0)), timestamp, utf8(name), value]
    signed = b"|".join([b"2", *(b"%d:%s" % (len(field), field) for field in fields), b""])
    if isinstance(secret, dict):
        assert key_version is not None, "key_version must be given with a dictionary of secrets"
        secret = secret[key_version]
    return signed + _create_signature_v2(secret, signed)


def decode_signed_value(
    secret: _Secret,
    name: str,
    value: Union[None, str, bytes],
    max_age_days: float = 31,
    clock: Optional[Callable[[], float]] = None,
    min_version: Optional[int] = None,
) -> Optional[bytes]:
    """Return what was signed under a name, or ``None`` for a value that is forged, of another name, or too old.

    ``min_version``: the lowest version of the format that will do; 1 if it is not said.
    """
    if min_version is None:
        min_version = DEFAULT_SIGNED_VALUE_MIN_VERSION
    if min_version > MAX_SUPPORTED_SIGNED_VALUE_VERSION:
        raise ValueError(f"Unsupported min_version {min_version}")
    if not value:
        return None
    value = utf8(value)
    version = _version_of(value)
    if version < min_version:
        return None
    now = (clock or time.time)()
    if version == 1:
        return _decode_1(secret, name, value, max_age_days, now)
    if version == 2:
        return _decode_2(secret, name, value, max_age_days, now)
    return None


def get_signature_key_version(value: Union[str, bytes]) -> Optional[int]:
    """Return the number of the key that a value says it was signed with; ``None`` for the first format.

    The signature is not checked.
    """
    value = utf8(value)
    if _version_of(value) < 2:
        return None
    try:
        return _split_2(value).key_version
    except ValueError:
        return None


def _version_of(value: bytes) -> int:
    # The first format begins with base64 instead. If that looks like a number, it is hardly a small one.
    start, bar, _ = value.partition(b"|")
    if not bar or not start.isdigit() or len(start) > 3:
        return 1
    return int(start)


# -- The first format: value|time|signature --


def _create_signature_v1(secret: Union[str, bytes], *parts: Union[str, bytes]) -> bytes:
    digest = hmac.new(utf8(secret), digestmod=hashlib.sha1)
    for part in parts:
        digest.update(utf8(part))
    return utf8(digest.hexdigest())


def _decode_1(secret: _Secret, name: str, value: bytes, max_age_days: float, now: float) -> Optional[bytes]:
    parts = value.split(b"|")
    if len(parts) != 3 or isinstance(secret, dict):
        return None
    encoded, timestamp, signature = parts
    if not hmac.compare_digest(signature, _create_signature_v1(secret, name, encoded, timestamp)):
        gen_log.warning("Invalid cookie signature %r", value)
        return None
    # The signature does not tell where the value ends and the time begins: digits of one may have been moved to the
    # other. Such a time is far off, or has a zero in front.
    try:
        when = int(timestamp)
    except ValueError:
        return None
    if when < now - max_age_days * _DAY_S:
        gen_log.warning("Expired cookie %r", value)
        return None
    if when > now + 31 * _DAY_S:
        gen_log.warning("Cookie timestamp in future; possible tampering %r", value)
        return None
    if timestamp.startswith(b"0"):
        gen_log.warning("Tampered cookie %r", value)
        return None
    return _decode_base64(encoded)


# -- The second: 2|1:key|10:time|4:name|8:value|signature, each field with its length in front --


class _Fields(NamedTuple):
    key_version: int
    timestamp: int
    name: bytes
    value: bytes
    signature: bytes
    signed: bytes  # all but the signature


def _create_signature_v2(secret: Union[str, bytes], signed: bytes) -> bytes:
    return utf8(hmac.new(utf8(secret), signed, hashlib.sha256).hexdigest())


def _split_2(value: bytes) -> _Fields:
    """Take a value apart. Raises `ValueError` if it is not of this format."""
    fields: list[bytes] = []
    rest = value[2:]
    for _ in range(4):
        digits, colon, rest = rest.partition(b":")
        if not colon or not digits.isdigit() or len(digits) > 9:
            raise ValueError("a field has no length")
        length = int(digits)
        if rest[length : length + 1] != b"|":
            raise ValueError("a field has another length than it says")
        fields.append(rest[:length])
        rest = rest[length + 1 :]
    key_version, timestamp, name, encoded = fields
    return _Fields(int(key_version), int(timestamp), name, encoded, rest, value[: len(value) - len(rest)])


def _decode_2(secret: _Secret, name: str, value: bytes, max_age_days: float, now: float) -> Optional[bytes]:
    try:
        fields = _split_2(value)
    except ValueError:
        return None
    if isinstance(secret, dict):
        if fields.key_version not in secret:
            return None
        secret = secret[fields.key_version]
    if not hmac.compare_digest(fields.signature, _create_signature_v2(secret, fields.signed)):
        return None
    if fields.name != utf8(name) or fields.timestamp < now - max_age_days * _DAY_S:
        return None
    return _decode_base64(fields.value)


def _decode_base64(encoded: bytes) -> Optional[bytes]:
    try:
        return base64.b64decode(encoded)
    except ValueError:
        return None


class SignedCookies:
    """The part of `RequestHandler` that signs cookies with the setting ``cookie_secret``."""

    __slots__ = ()

    # What is needed of the handler.
    application: Any
    get_cookie: Any
    require_setting: Any
    set_cookie: Any

    def create_signed_value(self, name: str, value: Union[str, bytes], version: Optional[int] = None) -> bytes:
        """Return a signed value, as `set_signed_cookie` sends it, to be kept elsewhere than in a cookie.

        .. versionchanged:: 3.2.1
           The argument ``version``; its default is 2.
        """
        self.require_setting("cookie_secret", "secure cookies")
        settings = self.application.settings
        secret = settings["cookie_secret"]
        key_version = None
        if isinstance(secret, dict):
            key_version = settings.get("key_version")
            if key_version is None:
                raise Exception("key_version setting must be used for secret_key dicts")
        return create_signed_value(secret, name, value, version=version, key_version=key_version)

    def set_signed_cookie(
        self,
        name: str,
        value: Union[str, bytes],
        expires_days: Optional[float] = 30,
        version: Optional[int] = None,
        **kwargs: Any,
    ) -> None:
        """Set a cookie that the client can read, but not change. The value may be any bytes.

        The setting ``cookie_secret`` is the key: a long random text, or a dictionary of several, of which the setting
        ``key_version`` names the one to sign with.

        ``expires_days`` is how long the browser keeps it; `get_signed_cookie` has a limit of its own. ``kwargs`` are those
        of `set_cookie`.

        .. versionchanged:: 6.3
           Was called ``set_secure_cookie``, which still works.
        """
        signed = self.create_signed_value(name, value, version=version)
        self.set_cookie(name, signed, expires_days=expires_days, **kwargs)

    def get_signed_cookie(
        self,
        name: str,
        value: Optional[str] = None,
        max_age_days: float = 31,
        min_version: Optional[int] = None,
    ) -> Optional[bytes]:
        """Return what was set with `set_signed_cookie`, or ``None`` if there is no cookie, or none that can be trusted.

        ``value``: in place of the cookie of that name.

        .. versionchanged:: 6.3
           Was called ``get_secure_cookie``, which still works.
        """
        self.require_setting("cookie_secret", "secure cookies")
        if value is None:
            value = self.get_cookie(name)
        secret = self.application.settings["cookie_secret"]
        return decode_signed_value(secret, name, value, max_age_days=max_age_days, min_version=min_version)

    def get_signed_cookie_key_version(self, name: str, value: Optional[str] = None) -> Optional[int]:
        """Return the number of the key that a cookie was signed with.

        .. versionchanged:: 6.3
           Was called ``get_secure_cookie_key_version``, which still works.
        """
        self.require_setting("cookie_secret", "secure cookies")
        if value is None:
            value = self.get_cookie(name)
        return None if value is None else get_signature_key_version(value)

    set_secure_cookie = set_signed_cookie
    get_secure_cookie = get_signed_cookie
    get_secure_cookie_key_version = get_signed_cookie_key_version
