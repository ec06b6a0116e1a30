"""Options that each module defines for itself, read from the command line and from files.

.. code-block:: python

    from tornado.options import define, options, parse_command_line

    define("port", default=8888, help="port to listen on")
    define("mysql_host", default="127.0.0.1:3306", help="Main user DB")

    def main():
        parse_command_line()
        app.listen(options.port)

Any module may define options, as long as it is imported before they are parsed. They are all in one place, `options`; the
functions of this module work on that. `OptionParser` makes a separate set.

Parsing sets up logging as well, with options of its own: see `tornado.log`. To keep it out, set ``options.logging = None``
before, or give ``--logging=none``.
"""

import datetime
import numbers
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Optional, TextIO

from tornado.escape import to_unicode
from tornado.log import define_logging_options
from tornado.util import basestring_type, exec_in

_THIS_FILE = (lambda: None).__code__.co_filename


class Error(Exception):
    """What is wrong with a definition of an option, or with the value given for it."""


class OptionParser:
    """A set of options. Most programs use the one called `options` in this module.

    >>> parser = OptionParser()
    >>> parser.define("port", default=80)
    >>> parser.define("names", type=str, multiple=True)
    >>> parser.parse_command_line(["prog", "--port=443", "--names=a,b", "rest"])
    ['rest']
    >>> parser.port, parser["names"]
    (443, ['a', 'b'])

    An option is an attribute, and an item as well. Dashes and underscores in names mean the same. Setting one checks its
    type, and raises `Error` when that is wrong.
    """

    def __init__(self) -> None:
        # Attributes of this object are options, so what it needs itself goes past __setattr__.
        self.__dict__["_options"] = {}
        self.__dict__["_parse_callbacks"] = []
        self.define("help", type=bool, help="show this help information", callback=self._help_callback)

    def _normalize_name(self, name: str) -> str:
        return name.replace("_", "-")

    def _find(self, name: str) -> Optional["_Option"]:
        return self._options.get(self._normalize_name(name))  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        option = self._find(name)
        if option is None:
            raise AttributeError(f"Unrecognized option {name!r}")
        return option.value()

    def __setattr__(self, name: str, value: Any) -> None:
        option = self._find(name)
        if option is None:
            raise AttributeError(f"Unrecognized option {name!r}")
        option.set(value)

    def __iter__(self) -> Iterator[str]:
        return (option.name for option in self._options.values())

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def __getitem__(self, name: str) -> Any:
        return self.__getattr__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.__setattr__(name, value)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return pairs of name and value.

        .. versionadded:: 3.1
        """
        return [(option.name, option.value()) for option in self._options.values()]

    def groups(self) -> set[str]:
        """Return the names of the groups that options were put in.

        .. versionadded:: 3.1
        """
        return {option.group_name for option in self._options.values()}

    def group_dict(self, group: str) -> dict[str, Any]:
        """Return the options of a group, or all for an empty name, as a dictionary.

        .. code-block:: python

            define("template_path", group="application")
            define("static_path", group="application")
            parse_command_line()
            application = Application(handlers, **options.group_dict("application"))

        .. versionadded:: 3.1
        """
        return {
            option.name: option.value()
            for option in self._options.values()
            if not group or option.group_name == group
        }

    def as_dict(self) -> dict[str, Any]:
        """Return all options as a dictionary.

        .. versionadded:: 3.1
        """
        return dict(self.items())

    def define(
        self,
        name: str,
        default: Any = None,
        type: Callable[..., Any] | None = None,
        help: str | None = None,
        metavar: str | None = None,
        multiple: bool = False,
        group: str | None = None,
        callback: Callable[[Any], None] | None = None,
    ) -> None:
        """Define an option.

        ``type``: ``str``, ``int``, ``float``, ``bool``, `~datetime.datetime`, `~datetime.timedelta`, or anything that
        makes a value of a string. If not given it is that of ``default``, or ``str``.

        ``multiple``: the value is a list, written with commas. Integers may be written as a range: ``1,5:7`` is
        ``[1, 5, 6, 7]``.

        ``help``, ``metavar``: what the help says about the option, and about its value.

        ``group``: the heading in the help, the defining file's name if not given.

        ``callback``: called with the value whenever it is set.

        Raises `Error` when there is an option of that name.
        """
        normalized = self._normalize_name(name)
        if normalized in self._options:
            raise Error(f"Option {normalized!r} already defined in {self._options[normalized].file_name}")
        file_name = _defining_file()
        if type is None:
            type = default.__class__ if not multiple and default is not None else str
        self._options[normalized] = _Option(
            name, file_name=file_name, default=default, type=type, help=help, metavar=metavar, multiple=multiple,
            group_name=group or file_name, callback=callback,
        )  # fmt: skip

    def parse_command_line(self, args: list[str] | None = None, final: bool = True) -> list[str]:
        """Read options from the command line, and return what is left of it.

        Options are written ``--name=value``, with any number of dashes; ``--name`` alone is enough for a ``bool``. They
        end at the first word without a dash, or behind ``--``.

        ``args``: the command line, `sys.argv` if not given. The first of it is passed over.

        ``final``: whether to call the parse callbacks. Give ``False`` if more will be parsed afterwards.

        Raises `Error` for an option that is not defined, after printing the help, or has no value.
        """
        if args is None:
            args = sys.argv
        remaining: list[str] = []
        for i, word in enumerate(args[1:], 1):
            if word == "--":
                remaining = args[i + 1 :]
                break
            if not word.startswith("-"):
                remaining = args[i:]
                break
            name, equals, value = word.lstrip("-").partition("=")
            option = self._find(name)
            if option is None:
                self.print_help()
                raise Error(f"Unrecognized command line option: {name!r}")
            if not equals:
                if option.type is not bool:
                    raise Error(f"Option {name!r} requires a value")
                value = "true"
            option.parse(value)
        if final:
            self.run_parse_callbacks()
        return remaining

    def parse_config_file(self, path: str, final: bool = True) -> None:
        """Read options from a file, which is Python: each global name that is an option sets it.

        .. code-block:: python

            port = 80
            mysql_host = "mydb.example.com:3306"
            memcache_hosts = ["cache1.example.com:11011", "cache2.example.com:11011"]

        Strings are read as on the command line if the option is of another type, or ``multiple``. Inside the file,
        ``__file__`` is its path. The file is run, so it must be trusted.

        ``final``: as for `parse_command_line`.

        Raises `Error` for a value of the wrong type.

        .. versionchanged:: 4.1
           Files are UTF-8 always.

        .. versionchanged:: 4.4
           ``__file__`` is available.

        .. versionchanged:: 6.3
           A string may hold several values.
        """
        config: dict[str, Any] = {"__file__": os.path.abspath(path)}
        with open(path, "rb") as f:
            exec_in(to_unicode(f.read()), config, config)
        for name, value in config.items():
            option = self._find(name)
            if option is None:
                continue
            if option.multiple and not isinstance(value, (list, str)):
                raise Error(
                    f"Option {option.name!r} is required to be a list of {_type_name(option.type)} "
                    "or a comma-separated string"
                )
            if isinstance(value, str) and (option.type is not str or option.multiple):
                option.parse(value)
            else:
                option.set(value)
        if final:
            self.run_parse_callbacks()

    def print_help(self, file: TextIO | None = None) -> None:
        """Print all options, to standard error if ``file`` is not given."""
        if file is None:
            file = sys.stderr
        print(f"Usage: {sys.argv[0]} [OPTIONS]", file=file)
        print("\nOptions:\n", file=file)
        groups: dict[str, list[_Option]] = {}
        for option in self._options.values():
            groups.setdefault(option.group_name, []).append(option)
        for group_name, group in sorted(groups.items()):
            if group_name:
                print(f"\n{os.path.normpath(group_name)} options:\n", file=file)
            for option in sorted(group, key=lambda option: option.name):
                self._print_option(option, file)
        print(file=file)

    def _print_option(self, option: "_Option", file: TextIO) -> None:
        prefix = self._normalize_name(option.name)
        if option.metavar:
            prefix += "=" + option.metavar
        description = option.help or ""
        if option.default is not None and option.default != "":
            description += f" (default {option.default})"
        # The descriptions stand in a column of their own, from the 35th character on.
        lines = textwrap.wrap(description, 79 - 35)
        if len(prefix) > 30 or not lines:
            lines.insert(0, "")
        print(f"  --{prefix:<30} {lines[0]}", file=file)
        for line in lines[1:]:
            print(f"{'':<34} {line}", file=file)

    def _help_callback(self, value: bool) -> None:
        if value:
            self.print_help()
            sys.exit(0)

    def add_parse_callback(self, callback: Callable[[], None]) -> None:
        """Call ``callback()`` when options have been parsed."""
        self._parse_callbacks.append(callback)

    def run_parse_callbacks(self) -> None:
        """Call what was given to `add_parse_callback`."""
        for callback in self._parse_callbacks:
            callback()

    def mockable(self) -> "_Mockable":
        """Return an object that `mock.patch <unittest.mock.patch>` can patch options on.

        .. code-block:: python

            with mock.patch.object(options.mockable(), "name", value):
                assert options.name == value

        Patching the parser itself does not work, since it has no attributes to be deleted again.
        """
        return _Mockable(self)


class _Mockable:
    """Sets options by setting attributes, and restores them by deleting those: what ``mock.patch`` does.

    Each may be set once, since there is room for one old value. Take another object to patch the same option again.
    """

    def __init__(self, options: OptionParser) -> None:
        self.__dict__["_options"] = options
        self.__dict__["_originals"] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._options, name)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name not in self._originals, "don't reuse mockable objects"
        self._originals[name] = getattr(self._options, name)
        setattr(self._options, name, value)

    def __delattr__(self, name: str) -> None:
        setattr(self._options, name, self._originals.pop(name))


def _defining_file() -> str:
    """Return the file that called a ``define`` of this module; empty if it is this one."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == _THIS_FILE and frame.f_code.co_name == "define" and frame.f_back is not None:
        frame = frame.f_back
    file_name = frame.f_code.co_filename
    return "" if file_name == _THIS_FILE else file_name


def _type_name(type: Any) -> str:
    return getattr(type, "__name__", repr(type))


_UNSET = object()


class _Option:
    """One option: its definition and its value."""

    def __init__(
        self,
        name: str,
        default: Any,
        type: Callable[..., Any],
        help: str | None,
        metavar: str | None,
        multiple: bool,
        file_name: str,
        group_name: str,
        callback: Callable[[Any], None] | None,
    ) -> None:
        self.name = name
        self.type = type
        self.help = help
        self.metavar = metavar
        self.multiple = multiple
        self.file_name = file_name
        self.group_name = group_name
        self.callback = callback
        self.default = [] if default is None and multiple else default
        self._value: Any = _UNSET

    def value(self) -> Any:
        return self.default if self._value is _UNSET else self._value

    def parse(self, text: str) -> Any:
        """Set the value from text, as on the command line, and return it."""
        parse: Callable[[str], Any] = _PARSERS.get(self.type, self.type)
        if not self.multiple:
            self._value = parse(text)
        elif isinstance(self.type, type) and issubclass(self.type, numbers.Integral):
            self._value = []
            for part in text.split(","):
                # Both ends of a range belong to it.
                low, _, high = part.partition(":")
                self._value.extend(range(parse(low), parse(high or low) + 1))
        else:
            self._value = [parse(part) for part in text.split(",")]
        if self.callback is not None:
            self.callback(self._value)
        return self.value()

    def set(self, value: Any) -> None:
        """Set the value from code, where it must have the right type already."""
        if self.multiple:
            if not isinstance(value, list):
                raise Error(f"Option {self.name!r} is required to be a list of {_type_name(self.type)}")
            for item in value:
                self._check_type(item, "a list of ")
        else:
            self._check_type(value, "a ")
        self._value = value
        if self.callback is not None:
            self.callback(self._value)

    def _check_type(self, value: Any, wanted: str) -> None:
        # What makes values need not be a type; then there is nothing to check.
        if value is not None and isinstance(self.type, type) and not isinstance(value, self.type):
            raise Error(
                f"Option {self.name!r} is required to be {wanted}{_type_name(self.type)} ({type(value)} given)"
            )


# Tried one after the other. What a format does not name is as in the first minute of 1900.
_DATETIME_FORMATS = (
    "%a %b %d %H:%M:%S %Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d",
    "%H:%M:%S",
    "%H:%M",
)


def _parse_datetime(text: str) -> datetime.datetime:
    for format in _DATETIME_FORMATS:
        try:
            return datetime.datetime.strptime(text, format)
        except ValueError:
            pass
    raise Error(f"Unrecognized date/time format: {text!r}")


_TIMEDELTA_UNITS = {
    "h": "hours",
    "m": "minutes",
    "min": "minutes",
    "s": "seconds",
    "sec": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "d": "days",
    "w": "weeks",
    "": "seconds",
}

_TIMEDELTA_PART = re.compile(r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zA-Z]*)\s*")


def _parse_timedelta(text: str) -> datetime.timedelta:
    """Add up numbers with units, as in ``1h 30m``. Without a unit it is seconds."""
    total = datetime.timedelta()
    position = 0
    while position < len(text):
        part = _TIMEDELTA_PART.match(text, position)
        if part is None:
            raise Error(f"Unrecognized time delta: {text!r}")
        number, unit = part.groups()
        name = _TIMEDELTA_UNITS.get(unit, unit)
        if name not in _TIMEDELTA_UNITS.values():
            raise Error(f"Unrecognized unit of time: {unit!r}")
        total += datetime.timedelta(**{name: float(number)})
        position = part.end()
    return total


def _parse_bool(text: str) -> bool:
    return text.lower() not in ("false", "0", "f")


_PARSERS: dict[Any, Callable[[str], Any]] = {
    datetime.datetime: _parse_datetime,
    datetime.timedelta: _parse_timedelta,
    bool: _parse_bool,
    basestring_type: to_unicode,
}


options = OptionParser()
"""The options of the whole program."""


def define(
    name: str,
    default: Any = None,
    type: Callable[..., Any] | None = None,
    help: str | None = None,
    metavar: str | None = None,
    multiple: bool = False,
    group: str | None = None,
    callback: Callable[[Any], None] | None = None,
) -> None:
    """Define one of the program's options. See `OptionParser.define`."""
    options.define(
        name, default=default, type=type, help=help, metavar=metavar, multiple=multiple, group=group, callback=callback
    )


def parse_command_line(args: list[str] | None = None, final: bool = True) -> list[str]:
    """Read the program's options from the command line. See `OptionParser.parse_command_line`."""
    return options.parse_command_line(args, final=final)


def parse_config_file(path: str, final: bool = True) -> None:
    """Read the program's options from a file. See `OptionParser.parse_config_file`."""
    options.parse_config_file(path, final=final)


def print_help(file: TextIO | None = None) -> None:
    """Print the program's options. See `OptionParser.print_help`."""
    options.print_help(file)


def add_parse_callback(callback: Callable[[], None]) -> None:
    """Call ``callback()`` when the program's options have been parsed. See `OptionParser.add_parse_callback`."""
    options.add_parse_callback(callback)


define_logging_options(options)
