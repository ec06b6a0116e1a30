import logging
import sys

import pytest
from tornado.log import LogFormatter, app_log, define_logging_options, enable_pretty_logging
from tornado.options import OptionParser


def record(message="hello", args=(), **kwargs):
    return logging.LogRecord("name", logging.WARNING, "dir/module.py", 7, message, args, kwargs.pop("exc_info", None), **kwargs)


def test_a_line_has_level_time_place_and_message():
    text = LogFormatter(color=False, datefmt="TIME").format(record("%s!", ("hello",)))
    assert text == "[W TIME module:7] hello!"


def test_text_from_outside_cannot_forge_a_line():
    text = LogFormatter(color=False).format(record("a\n[E 260101 00:00:00 fake:1] b"))
    assert all(line.startswith("    ") for line in text.split("\n")[1:])


def test_a_message_that_cannot_be_formatted_is_logged_all_the_same():
    assert "Bad message (TypeError(" in LogFormatter(color=False).format(record("%d", ("x",)))


def test_tracebacks_are_indented_below_the_message():
    try:
        raise ValueError("oh")
    except ValueError:
        text = LogFormatter(color=False).format(record(exc_info=sys.exc_info()))
    assert "hello\n    Traceback" in text
    assert text.endswith("\n    ValueError: oh")


def test_the_stack_is_shown_when_asked_for():
    assert "\n    Stack here" in LogFormatter(color=False).format(record(sinfo="Stack here"))


def test_other_styles_of_format_work():
    assert LogFormatter(fmt="{levelname}-{message}", style="{", color=False).format(record()) == "WARNING-hello"


def test_no_color_without_a_terminal():
    assert LogFormatter(color=True)._colors == {}


def test_a_terminal_without_a_description_gets_no_color(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "no-such-terminal")
    assert LogFormatter(color=True)._colors == {}


@pytest.fixture
def options():
    parser = OptionParser()
    define_logging_options(parser)
    return parser


def test_a_logger_with_a_handler_gets_no_second_one(options):
    logger = logging.Logger("x")
    logger.addHandler(logging.NullHandler())
    enable_pretty_logging(options, logger)
    assert len(logger.handlers) == 1
    options.log_to_stderr = True
    enable_pretty_logging(options, logger)
    assert len(logger.handlers) == 2


def test_the_level_follows_the_option(options):
    logger = logging.Logger("x")
    options.logging = "error"
    enable_pretty_logging(options, logger)
    assert logger.level == logging.ERROR


def test_parsing_the_command_line_sets_up_logging(options, monkeypatch):
    root = logging.RootLogger(logging.WARNING)
    monkeypatch.setattr(logging, "getLogger", lambda name=None: root)
    options.parse_command_line(["prog", "--logging=debug"])
    assert root.level == logging.DEBUG
    assert isinstance(root.handlers[0].formatter, LogFormatter)


def test_the_application_logger_has_its_name():
    assert app_log.name == "tornado.application"
