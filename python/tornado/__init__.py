"""The Tornado web server and tools, standing on an engine written in C.

Importing this package is cheap: a module such as ``tornado.ioloop`` is loaded when it is first named, whether by an
``import`` statement or as an attribute. Importing never makes or touches an event loop, so a program may import everything
and fork afterwards.
"""

from importlib import import_module as _import_module

TYPE_CHECKING = False
if TYPE_CHECKING:  # Type checkers read this as typing.TYPE_CHECKING; the program saves the import.
    from types import ModuleType

#: The release of Tornado whose behaviour this package has.
version = "6.5.7"

#: The same as numbers; the fourth is zero for a release, negative before one.
version_info = (6, 5, 7, 0)

_MODULES = (
    "auth", "autoreload", "concurrent", "curl_httpclient", "escape", "gen", "http1connection", "httpclient",
    "httpserver", "httputil", "ioloop", "iostream", "locale", "locks", "log", "netutil", "options", "platform",
    "process", "queues", "simple_httpclient", "tcpclient", "tcpserver", "template", "testing", "util",
    "web", "websocket", "wsgi",
)  # fmt: skip

# Names of Tornado that this package does not have yet. Whoever builds one takes it off this list.
_NOT_BUILT = frozenset((
    "auth", "platform.caresresolver",
    "platform.twisted", "websocket",
))  # fmt: skip

# ``from tornado import *`` must not fail for want of pycurl.
__all__ = [name for name in _MODULES if name not in _NOT_BUILT and name != "curl_httpclient"]


class _NotBuiltFinder:
    """The last of the import system's finders: says in one sentence why a module of Tornado cannot be had.

    It is asked only when no other finder knows the name, so a module that exists is never hidden by a stale list.
    """

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> None:
        package, _, name = fullname.partition(".")
        if package == __name__ and name in _NOT_BUILT:
            raise ModuleNotFoundError(
                f"{fullname} is not built yet: Tornado in C {version} does not have this module.", name=fullname
            )
        return None


def _install_finder() -> None:
    import sys

    if not any(getattr(finder, "__name__", None) == "_NotBuiltFinder" for finder in sys.meta_path):
        sys.meta_path.append(_NotBuiltFinder)


_install_finder()


def __getattr__(name: str) -> "ModuleType":
    if name in _MODULES:
        return _import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> "list[str]":
    return sorted({*globals(), *__all__})
