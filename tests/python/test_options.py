import datetime
import io

import pytest
from tornado.options import Error, OptionParser


@pytest.fixture
def options():
    return OptionParser()


def parse(options, *words, **kwargs):
    return options.parse_command_line(["prog", *words], **kwargs)


def test_options_end_at_the_first_word_or_behind_two_dashes(options):
    options.define("x", type=int)
    assert parse(options, "--x=1", "word", "--x=2") == ["word", "--x=2"]
    assert parse(options, "--x=3", "--", "--x=4") == ["--x=4"]
    assert options.x == 3


def test_any_number_of_dashes_will_do(options):
    options.define("x", type=int)
    for i, word in enumerate(["-x={}", "--x={}", "---x={}"]):
        parse(options, word.format(i))
        assert options.x == i


def test_only_a_bool_needs_no_value(options):
    options.define("flag", type=bool)
    options.define("x")
    parse(options, "--flag")
    assert options.flag is True
    with pytest.raises(Error, match="requires a value"):
        parse(options, "--x")


@pytest.mark.parametrize(
    ("text", "value"), [("false", False), ("0", False), ("F", False), ("no", True), ("true", True), ("", True)]
)
def test_a_bool_is_false_for_three_words_only(options, text, value):
    options.define("flag", type=bool)
    parse(options, f"--flag={text}")
    assert options.flag is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Sun Apr 28 05:16:00 2013", (2013, 4, 28, 5, 16)),
        ("2013-04-28 05:16:07", (2013, 4, 28, 5, 16, 7)),
        ("2013-04-28T05:16", (2013, 4, 28, 5, 16)),
        ("20130428 05:16", (2013, 4, 28, 5, 16)),
        ("2013-04-28", (2013, 4, 28)),
        ("20130428", (2013, 4, 28)),
        ("05:16", (1900, 1, 1, 5, 16)),
    ],
)
def test_dates_can_be_written_in_many_ways(options, text, value):
    options.define("when", type=datetime.datetime)
    parse(options, f"--when={text}")
    assert options.when == datetime.datetime(*value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45", 45),
        ("1h30m", 5400),
        ("1h 30min", 5400),
        ("-1.5s", -1.5),
        ("1e3ms", 1),
        ("2d", 172800),
        ("1w", 604800),
        ("2 hours", 7200),
    ],
)
def test_spans_of_time_add_up(options, text, seconds):
    options.define("span", type=datetime.timedelta)
    parse(options, f"--span={text}")
    assert options.span.total_seconds() == seconds


@pytest.mark.parametrize(("type", "text"), [(datetime.timedelta, "x"), (datetime.timedelta, "1y"), (datetime.datetime, "soon")])
def test_times_that_are_not_understood_are_errors(options, type, text):
    options.define("t", type=type)
    with pytest.raises(Error):
        parse(options, f"--t={text}")


def test_a_number_that_is_none_is_a_value_error(options):
    options.define("x", type=int)
    with pytest.raises(ValueError):
        parse(options, "--x=one")


def test_ranges_of_integers_include_both_ends(options):
    options.define("x", type=int, multiple=True)
    parse(options, "--x=1,5:7")
    assert options.x == [1, 5, 6, 7]


def test_the_type_follows_from_the_default(options):
    options.define("x", default=1.5)
    parse(options, "--x=2")
    assert options.x == 2.0 and isinstance(options.x, float)


def test_setting_from_code_checks_the_type(options):
    options.define("x", type=int)
    options.define("xs", type=int, multiple=True)
    options.x = None
    for name, value in (("x", "1"), ("xs", 1), ("xs", ["1"])):
        with pytest.raises(Error, match="is required to be"):
            setattr(options, name, value)


def test_an_unknown_name_is_an_attribute_error(options):
    with pytest.raises(AttributeError):
        options.nothing  # noqa: B018
    with pytest.raises(AttributeError):
        options.nothing = 1
    assert "nothing" not in options


def test_an_unknown_option_prints_the_help_and_fails(options, capsys):
    with pytest.raises(Error, match="Unrecognized command line option: 'nothing'"):
        parse(options, "--nothing=1")
    assert "Usage:" in capsys.readouterr().err


def test_a_type_may_be_anything_that_makes_a_value(options):
    options.define("x", type=lambda text: text[::-1])
    parse(options, "--x=abc")
    assert options.x == "cba"
    options.x = "anything"


def test_the_help_shows_defaults_in_a_column(options):
    options.define("some_port", default=80, help="where to listen", metavar="PORT", group="network")
    out = io.StringIO()
    options.print_help(out)
    assert "\nnetwork options:\n" in out.getvalue()
    line = next(line for line in out.getvalue().splitlines() if "--some-port" in line)
    assert line == "  --some-port=PORT                 where to listen (default 80)"


def test_a_redefinition_names_the_file_of_the_first(options):
    options.define("x")
    with pytest.raises(Error, match=f"already defined in .*{__name__}"):
        options.define("x")


def test_a_config_file_is_python(options, tmp_path):
    options.define("port", type=int)
    options.define("names", type=str, multiple=True)
    options.define("when", type=datetime.timedelta)
    path = tmp_path / "app.conf"
    path.write_text("import os\nport = 40 + 2\nnames = 'a,b'\nwhen = '5m'\nunknown = 1\n")
    options.parse_config_file(str(path))
    assert (options.port, options.names, options.when) == (42, ["a", "b"], datetime.timedelta(minutes=5))


def test_a_config_file_cannot_give_one_value_for_many(options, tmp_path):
    options.define("ports", type=int, multiple=True)
    path = tmp_path / "app.conf"
    path.write_text("ports = 42\n")
    with pytest.raises(Error, match="list of int or a comma-separated string"):
        options.parse_config_file(str(path))


def test_a_mockable_serves_once(options):
    options.define("x", default=1)
    mockable = options.mockable()
    mockable.x = 2
    with pytest.raises(AssertionError):
        mockable.x = 3
    del mockable.x
    assert options.x == 1
