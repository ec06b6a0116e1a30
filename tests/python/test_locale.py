import datetime

import pytest
from tornado import locale
from tornado.testing import ExpectLog


@pytest.fixture(autouse=True)
def pristine(monkeypatch):
    for name in ("_translations", "_supported_locales", "_use_gettext", "_default_locale"):
        monkeypatch.setattr(locale, name, getattr(locale, name))
    monkeypatch.setattr(locale, "_translations", {})
    monkeypatch.setattr(locale.Locale, "_cache", {})


def load(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    locale.load_translations(str(tmp_path))


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (("fr_FR",), "fr_FR"),
        (("FR-fr",), "fr_FR"),
        (("de_AT",), "de"),
        (("es", "de"), "de"),
        (("zh_Hans_CN", "fr_FR"), "fr_FR"),
        (("", None, "de"), "de"),
        (("es",), "en_US"),
        ((), "en_US"),
    ],
)
def test_the_closest_locale_is_found(tmp_path, codes, found):
    load(tmp_path, fr_FR='"a","b"', de='"a","c"')
    assert locale.get(*codes).code == found


def test_singular_and_plural_have_translations_of_their_own(tmp_path):
    load(tmp_path, de='"one","eins","singular"\n"many","viele","plural"\n"plain","einfach"\n\n"short"\n')
    german = locale.get("de")
    assert german.translate("one", "many", 1) == "eins"
    assert german.translate("one", "many", 2) == "viele"
    assert german.translate("plain") == "einfach"
    assert german.translate("unknown") == "unknown"
    assert german.translate("an unknown", "unknowns", 0) == "unknowns"


def test_what_is_not_understood_is_logged_and_passed_over(tmp_path):
    with ExpectLog("tornado.general", "Unrecognized locale 'Klingon'"):
        load(tmp_path, Klingon='"a","b"')
    with ExpectLog("tornado.general", "Unrecognized plural indicator 'dual'.* line 2"):
        load(tmp_path, de='"a","b"\n"c","d","dual"\n')
    assert locale.get("de").translate("a") == "b"


def test_each_file_may_have_an_encoding_of_its_own(tmp_path):
    (tmp_path / "de.csv").write_bytes('"a","ä"'.encode("utf-16"))
    (tmp_path / "fr.csv").write_bytes('"a","é"'.encode())
    locale.load_translations(str(tmp_path))
    assert [locale.get(code).translate("a") for code in ("de", "fr")] == ["ä", "é"]


def test_csv_has_no_contexts(tmp_path):
    load(tmp_path, de='"right","rechts"')
    with ExpectLog("tornado.general", "pgettext is not supported by CSVLocale"):
        assert locale.get("de").pgettext("law", "right") == "rechts"


def test_a_broken_catalogue_is_logged_and_passed_over(tmp_path):
    messages = tmp_path / "de" / "LC_MESSAGES"
    messages.mkdir(parents=True)
    (messages / "app.mo").write_bytes(b"nonsense")
    with ExpectLog("tornado.general", "Cannot load translation for 'de'"):
        locale.load_gettext_translations(str(tmp_path), "app")
    assert locale.get("de").code == "en_US"


def test_names_and_directions_of_languages(tmp_path):
    load(tmp_path, he_IL="", de_DE="", xx="")
    assert (locale.get("he_IL").name, locale.get("he_IL").rtl) == ("עברית", True)
    assert (locale.get("de_DE").name, locale.get("de_DE").rtl) == ("Deutsch", False)
    assert locale.get("xx").name == "Unknown"
    assert len(locale.LOCALE_NAMES) == 62


def ago(**span):
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**span)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"seconds": 0}, "0 seconds ago"),
        ({"seconds": 1}, "1 second ago"),
        ({"seconds": 49}, "49 seconds ago"),
        ({"seconds": 55}, "1 minute ago"),
        ({"minutes": 49}, "49 minutes ago"),
        ({"minutes": 55}, "1 hour ago"),
        ({"hours": 23}, "23 hours ago"),
        ({"seconds": -30}, "0 seconds ago"),
    ],
)
def test_the_age_of_a_date(span, text):
    assert locale.get("en_US").format_date(ago(**span)) == text


def test_the_future_is_told_in_full():
    for span in ({"days": -1, "seconds": -10}, {"hours": -2}):
        date = ago(**span)
        assert str(date.year) in locale.get("en_US").format_date(date)


def test_dates_that_are_not_relative():
    english = locale.get("en_US")
    assert english.format_date(ago(seconds=5), relative=False).endswith(("am", "pm"))
    assert english.format_date(ago(days=3), relative=False).split()[0] in english._weekdays
    assert english.format_date(0, gmt_offset=60) == "December 31, 1969 at 11:00 pm"


def test_times_are_written_as_the_language_does(tmp_path):
    load(tmp_path, de="", zh_CN="")
    date = datetime.datetime(2013, 4, 28, 18, 5)
    assert locale.get("de").format_date(date) == "April 28, 2013 at 18:05"
    assert locale.get("zh_CN").format_date(date).endswith("at 下午6:05")
    assert locale.get("en_US").format_date(date.replace(hour=0)).endswith("12:05 am")


def test_numbers_are_grouped_in_english_only(tmp_path):
    load(tmp_path, de="")
    assert locale.get("en_US").friendly_number(-1234567) == "-1,234,567"
    assert locale.get("de").friendly_number(1234567) == "1234567"
