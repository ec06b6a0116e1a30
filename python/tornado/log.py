"""The loggers of Tornado, and an optional format for what they say.

There are three, so that an application can tell them apart:

* ``tornado.access``: one line for each request that an HTTP server has answered;
* ``tornado.application``: errors in the application's own code, such as uncaught exceptions;
* ``tornado.general``: everything else, errors and warnings of Tornado itself included.

They are plain loggers of the standard `logging` module, and this module only adds to that: `LogFormatter` and
`enable_pretty_logging`, which `tornado.options.parse_command_line` calls.
"""

import logging
import logging.handlers
import sys
from typing import TYPE_CHECKING, Any, Optional

from tornado.escape import to_unicode

if TYPE_CHECKING:
    from tornado.options import OptionParser

access_log = logging.getLogger("tornado.access")
app_log = logging.getLogger("tornado.application")
gen_log = logging.getLogger("tornado.general")


def _stderr_supports_color() -> bool:
    """Whether standard error is a terminal that shows colours; in any doubt it is not."""
    try:
        if not sys.stderr.isatty():
            return False
        try:
            import curses
        except ImportError:
            # Windows: colours are there if the application has initialised colorama.
            import colorama  # type: ignore[import-untyped,unused-ignore]

            wrapped: object = getattr(colorama.initialise, "wrapped_stderr", object())
            return sys.stderr is wrapped
        curses.setupterm()
        return curses.tigetnum("colors") > 0
    except Exception:
        # Logging must work whatever the terminal database holds.
        return False


def _safe_unicode(value: str) -> str:
    try:
        return to_unicode(value)
    except UnicodeDecodeError:
        return repr(value)


class LogFormatter(logging.Formatter):
    """The format of Tornado's log lines: level, time and place in brackets, coloured on a terminal.

    It can be used without the options module:

    >>> handler = logging.StreamHandler()
    >>> handler.setFormatter(LogFormatter(color=False))

    What is left of a message that cannot be formatted is logged as ``Bad message``. Every line but the first is indented
    by four spaces, so text from outside cannot pass for a log line of its own.

    ``fmt``: the format of a line. Besides the usual fields it may hold ``%(color)s`` and ``%(end_color)s``.

    ``datefmt``: the format of the time, as for `time.strftime`.

    ``style``: as for `logging.Formatter`.

    ``color``: whether to colour the lines if the terminal can show it.

    ``colors``: a mapping of logging levels to the colour codes of the terminal.

    .. versionchanged:: 3.2
       Added ``fmt`` and ``datefmt``.
    """

    DEFAULT_FORMAT = "%(color)s[%(levelname)1.1s %(asctime)s %(module)s:%(lineno)d]%(end_color)s %(message)s"
    DEFAULT_DATE_FORMAT = "%y%m%d %H:%M:%S"
    DEFAULT_COLORS = {
        logging.DEBUG: 4,  # blue
        logging.INFO: 2,  # green
        logging.WARNING: 3,  # yellow
        logging.ERROR: 1,  # red
        logging.CRITICAL: 5,  # magenta
    }

    def __init__(
        self,
        fmt: str = DEFAULT_FORMAT,
        datefmt: str = DEFAULT_DATE_FORMAT,
        style: Any = "%",
        color: bool = True,
        colors: dict[int, int] = DEFAULT_COLORS,
    ) -> None:
        super().__init__(fmt, datefmt, style, validate=False)
        self._colors: dict[int, str] = {}
        self._normal = ""
        if color and _stderr_supports_color():
            self._load_colors(colors)

    def _load_colors(self, colors: dict[int, int]) -> None:
        try:
            import curses
        except ImportError:
            # colorama understands the escape sequences of ANSI terminals.
            self._colors = {level: f"\033[2;3{code}m" for level, code in colors.items()}
            self._normal = "\033[0m"
            return
        set_color = curses.tigetstr("setaf") or curses.tigetstr("setf") or b""
        self._colors = {level: str(curses.tparm(set_color, code), "ascii") for level, code in colors.items()}
        self._normal = str(curses.tigetstr("sgr0") or b"", "ascii")

    def format(self, record: Any) -> str:
        """Return the text for one record."""
        try:
            record.message = _safe_unicode(record.getMessage())
        except Exception as e:
            record.message = f"Bad message ({e!r}): {record.__dict__!r}"
        record.asctime = self.formatTime(record, self.datefmt)
        record.color = self._colors.get(record.levelno, "")
        record.end_color = self._normal if record.color else ""

        lines = [self.formatMessage(record)]
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            lines.append(_safe_unicode(record.exc_text))
        if record.stack_info:
            lines.append(self.formatStack(record.stack_info))
        if len(lines) > 1:
            lines[0] = lines[0].rstrip()
        return "\n".join(lines).replace("\n", "\n    ")


def enable_pretty_logging(
    options: Optional["OptionParser"] = None, logger: logging.Logger | None = None
) -> None:
    """Log in Tornado's format, as the options say.

    ``tornado.options.parse_command_line`` and ``parse_config_file`` call this, so there is rarely a need to.

    ``options``: where the logging options are read from, the global ones if not given. Nothing is done if ``logging`` is
    ``None`` or the word ``none``.

    ``logger``: where handlers are added, the root logger if not given.

    Raises `ValueError` when ``log_rotate_mode`` is neither ``size`` nor ``time``.
    """
    if options is None:
        import tornado.options

        options = tornado.options.options
    if options.logging is None or options.logging.lower() == "none":
        return
    if logger is None:
        logger = logging.getLogger()
    logger.setLevel(getattr(logging, options.logging.upper()))
    if options.log_file_prefix:
        file_handler = _file_handler(options)
        file_handler.setFormatter(LogFormatter(color=False))
        logger.addHandler(file_handler)
    if options.log_to_stderr or (options.log_to_stderr is None and not logger.handlers):
        stream_handler = logging.StreamHandler()
        stream_handler.setFormatter(LogFormatter())
        logger.addHandler(stream_handler)


def _file_handler(options: "OptionParser") -> logging.Handler:
    mode = options.log_rotate_mode
    if mode == "size":
        return logging.handlers.RotatingFileHandler(
            filename=options.log_file_prefix,
            maxBytes=options.log_file_max_size,
            backupCount=options.log_file_num_backups,
            encoding="utf-8",
        )
    if mode == "time":
        return logging.handlers.TimedRotatingFileHandler(
            filename=options.log_file_prefix,
            when=options.log_rotate_when,
            interval=options.log_rotate_interval,
            backupCount=options.log_file_num_backups,
            encoding="utf-8",
        )
    raise ValueError(f'The value of log_rotate_mode option should be "size" or "time", not "{mode}".')


def define_logging_options(options: Any = None) -> None:
    """Add the options that `enable_pretty_logging` reads to an `.OptionParser`.

    The global options have them already.

    .. versionadded:: 4.2
       This function became public.
    """
    if options is None:
        import tornado.options

        options = tornado.options.options
    options.define(
        "logging",
        default="info",
        help="Set the Python log level. If 'none', tornado won't touch the logging configuration.",
        metavar="debug|info|warning|error|none",
    )
    options.define(
        "log_to_stderr",
        type=bool,
        default=None,
        help="Send log output to stderr (colorized if possible). By default use stderr if --log_file_prefix is not "
        "set and no other logging is configured.",
    )
    options.define(
        "log_file_prefix",
        type=str,
        default=None,
        metavar="PATH",
        help="Path prefix for log files. When several processes run, give each its own: two must not write one file.",
    )
    options.define(
        "log_file_max_size", type=int, default=100 * 1000 * 1000, help="max size of log files before rollover"
    )
    options.define("log_file_num_backups", type=int, default=10, help="number of log files to keep")
    options.define(
        "log_rotate_when",
        type=str,
        default="midnight",
        help="the unit of log_rotate_interval: one of 'S', 'M', 'H', 'D', 'W0'-'W6', 'midnight'",
    )
    options.define("log_rotate_interval", type=int, default=1, help="The interval value of timed rotating")
    options.define("log_rotate_mode", type=str, default="size", help="The mode of rotating files (size or time)")
    options.add_parse_callback(lambda: enable_pretty_logging(options))
