"""Translations, and dates and numbers as people write them.

.. code-block:: python

    tornado.locale.load_translations("translations")
    user_locale = tornado.locale.get("es_LA", "es")
    print(user_locale.translate("Sign out"))
    print(user_locale.translate("A person liked this", "%(num)d people liked this", len(people)) % {"num": len(people)})

Translations come from files of comma-separated values, `load_translations`, or from the catalogues of gettext,
`load_gettext_translations`. Without either there is only the default locale, whose texts are those in the program.
"""

import codecs
import csv
import datetime
import gettext
import glob
import os
import re
from collections.abc import Iterable
from typing import Any

from tornado._locale_data import LOCALE_NAMES as LOCALE_NAMES
from tornado.log import gen_log

CONTEXT_SEPARATOR = "\x04"

_default_locale = "en_US"
# For each code: tables by plural form, or a catalogue of gettext.
_translations: dict[str, Any] = {}
_supported_locales = frozenset([_default_locale])
_use_gettext = False


def get(*locale_codes: str) -> "Locale":
    """Return the locale that is closest to one of the codes, the first of them being liked best.

    >>> get("en-us").code
    'en_US'

    For each code in turn, the very locale is taken if it is supported, and otherwise that of the language alone. If none
    fits it is the default locale.
    """
    return Locale.get_closest(*locale_codes)


def set_default_locale(code: str) -> None:
    """Choose the locale whose texts are those in the program; ``en_US`` if this is not called."""
    global _default_locale
    _default_locale = code
    _update_supported()


def _update_supported() -> None:
    global _supported_locales
    _supported_locales = frozenset([*_translations, _default_locale])


def load_translations(directory: str, encoding: str | None = None) -> None:
    """Read translations from the files of a directory that are named ``LOCALE.csv``, as in ``es_LA.csv``.

    Each line holds a text, its translation, and possibly ``plural`` or ``singular`` if it is one of two forms:

    .. code-block:: text

        "I love you","Te amo"
        "%(name)s liked this","A %(name)s les gustó esto","plural"
        "%(name)s liked this","A %(name)s le gustó esto","singular"

    ``encoding``: of all files; if not given, UTF-8, or UTF-16 for a file that begins with its mark.

    A file or line that is not understood is logged and passed over.

    .. versionchanged:: 4.3
       Added ``encoding``, and the detection of it.
    """
    for path in sorted(glob.glob(os.path.join(glob.escape(directory), "*.csv"))):
        code = os.path.basename(path).split(".", 1)[0]
        if re.fullmatch(r"[a-z]+(_[A-Z]+)?", code) is None:
            gen_log.error("Unrecognized locale %r (path: %s)", code, path)
            continue
        _translations[code] = _read_csv(path, encoding or _detect_encoding(path))
    _update_supported()
    gen_log.debug("Supported locales: %s", sorted(_supported_locales))


def _detect_encoding(path: str) -> str:
    with open(path, "rb") as f:
        start = f.read(2)
    # The first reads UTF-8 with and without a mark.
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _read_csv(path: str, encoding: str) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    with open(path, encoding=encoding, newline="") as f:
        for number, row in enumerate(csv.reader(f), 1):
            if len(row) < 2:
                continue
            text, translation, *more = (cell.strip() for cell in row)
            form = more[0] if more and more[0] else "unknown"
            if form not in ("plural", "singular", "unknown"):
                gen_log.error("Unrecognized plural indicator %r in %s line %d", form, path, number)
                continue
            tables.setdefault(form, {})[text] = translation
    return tables


def load_gettext_translations(directory: str, domain: str) -> None:
    """Read translations from catalogues of gettext: the files ``LOCALE/LC_MESSAGES/DOMAIN.mo`` of a directory.

    The files are made with the tools of gettext:

    .. code-block:: console

        $ xgettext --language=Python --keyword=_:1,2 -d mydomain file1.py file2.html
        $ msgmerge old.po mydomain.po > new.po
        $ msgfmt mydomain.po -o pt_BR/LC_MESSAGES/mydomain.mo

    A catalogue that cannot be read is logged and passed over.
    """
    global _use_gettext
    for code in sorted(os.listdir(directory)):
        if code.startswith(".") or os.path.isfile(os.path.join(directory, code)):
            continue
        try:
            _translations[code] = gettext.translation(domain, directory, languages=[code])
        except Exception as e:
            gen_log.error("Cannot load translation for '%s': %s", code, e)
    _use_gettext = True
    _update_supported()
    gen_log.debug("Supported locales: %s", sorted(_supported_locales))


def get_supported_locales() -> Iterable[str]:
    """Return the codes of all locales that there are translations for, and of the default one."""
    return _supported_locales


class Locale:
    """A language, with its translations and its way to write dates and numbers. `get` and `Locale.get` return one.

    Attributes: ``code``, such as ``es_LA``; ``name``, in the language itself; ``rtl``, whether it is written from right to
    left.
    """

    _cache: "dict[str, Locale]" = {}

    @classmethod
    def get_closest(cls, *locale_codes: str) -> "Locale":
        """Return the locale that is closest to one of the codes. See `tornado.locale.get`."""
        for code in locale_codes:
            language, *region = (code or "").replace("-", "_").split("_")
            if not language or len(region) > 1:
                continue
            language = language.lower()
            for candidate in (f"{language}_{region[0].upper()}" if region else code, language):
                if candidate in _supported_locales:
                    return cls.get(candidate)
        return cls.get(_default_locale)

    @classmethod
    def get(cls, code: str) -> "Locale":
        """Return the locale of a code that is supported. There is one object for each."""
        if code not in cls._cache:
            assert code in _supported_locales
            translations = _translations.get(code)
            if translations is None:
                cls._cache[code] = CSVLocale(code, {})
            elif _use_gettext:
                cls._cache[code] = GettextLocale(code, translations)
            else:
                cls._cache[code] = CSVLocale(code, translations)
        return cls._cache[code]

    def __init__(self, code: str) -> None:
        self.code = code
        self.name = LOCALE_NAMES.get(code, {}).get("name", "Unknown")
        self.rtl = code.startswith(("fa", "ar", "he"))
        _ = self.translate
        self._months = [
            _("January"), _("February"), _("March"), _("April"), _("May"), _("June"),
            _("July"), _("August"), _("September"), _("October"), _("November"), _("December"),
        ]  # fmt: skip
        self._weekdays = [
            _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"),
        ]  # fmt: skip

    def translate(
        self, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Return the translation of a text, or the text itself if there is none.

        With ``plural_message``, ``count`` must be given: the first text is for one, the second for any other number.
        """
        raise NotImplementedError()

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Return the translation of a text that means different things in different contexts.

        .. versionadded:: 4.2
        """
        raise NotImplementedError()

    def format_date(
        self,
        date: int | float | datetime.datetime,
        gmt_offset: int = 0,
        relative: bool = True,
        shorter: bool = False,
        full_format: bool = False,
    ) -> str:
        """Return a date and time as people say it, such as ``2 minutes ago`` or ``April 28 at 6:35 pm``.

        ``date``: a number of seconds since 1970, or a `~datetime.datetime`, in UTC if it has no time zone.

        ``gmt_offset``: how many minutes the reader's clock is behind UTC.

        ``relative``: whether it may be told by its distance from now.

        ``shorter``: leave out the time, if the date is not today's.

        ``full_format``: tell the whole date in any case. So it is for dates in the future, except for those less than a
        minute away, which are taken for now: clocks differ.

        .. versionchanged:: 6.4
           Dates with a time zone are accepted.
        """
        if not isinstance(date, datetime.datetime):
            date = datetime.datetime.fromtimestamp(date, datetime.timezone.utc)
        if date.tzinfo is None:
            date = date.replace(tzinfo=datetime.timezone.utc)
        now = datetime.datetime.now(datetime.timezone.utc)
        if date > now:
            if relative and date - now < datetime.timedelta(seconds=60):
                date = now
            else:
                full_format = True
        offset = datetime.timedelta(minutes=gmt_offset)
        age = now - date
        if relative and not full_format and age.days == 0:
            return self._format_age(age.seconds)
        local_date = date.astimezone(datetime.timezone.utc) - offset
        yesterday = now - offset - datetime.timedelta(hours=24)
        is_yesterday = relative and age.days == 1 and local_date.day == yesterday.day
        # A date that must be told whole is as good as one from long ago.
        pattern = self._date_pattern(365 if full_format else age.days, is_yesterday and not full_format, shorter)
        return pattern % {
            "month_name": self._months[local_date.month - 1],
            "weekday": self._weekdays[local_date.weekday()],
            "day": str(local_date.day),
            "year": str(local_date.year),
            "time": self._format_time(local_date),
        }

    def _format_age(self, seconds: int) -> str:
        _ = self.translate
        if seconds < 50:
            return _("1 second ago", "%(seconds)d seconds ago", seconds) % {"seconds": seconds}
        if seconds < 50 * 60:
            minutes = round(seconds / 60.0)
            return _("1 minute ago", "%(minutes)d minutes ago", minutes) % {"minutes": minutes}
        hours = round(seconds / (60.0 * 60))
        return _("1 hour ago", "%(hours)d hours ago", hours) % {"hours": hours}

    def _date_pattern(self, days: int, is_yesterday: bool, shorter: bool) -> str:
        _ = self.translate
        if days == 0:
            return _("%(time)s")
        if is_yesterday:
            return _("yesterday") if shorter else _("yesterday at %(time)s")
        if days < 5:
            return _("%(weekday)s") if shorter else _("%(weekday)s at %(time)s")
        # Eleven months: the same month a year ago would be mistaken for this year's.
        if days < 334:
            return _("%(month_name)s %(day)s") if shorter else _("%(month_name)s %(day)s at %(time)s")
        if shorter:
            return _("%(month_name)s %(day)s, %(year)s")
        return _("%(month_name)s %(day)s, %(year)s at %(time)s")

    def _format_time(self, date: datetime.datetime) -> str:
        afternoon = date.hour >= 12
        if self.code in ("en", "en_US"):
            return f"{date.hour % 12 or 12}:{date.minute:02} {'pm' if afternoon else 'am'}"
        if self.code == "zh_CN":
            return f"{'下午' if afternoon else '上午'}{date.hour % 12 or 12}:{date.minute:02}"
        return f"{date.hour}:{date.minute:02}"

    def format_day(self, date: datetime.datetime, gmt_offset: int = 0, dow: bool = True) -> str:
        """Return a date as a day, such as ``Sunday, April 28``, or without the weekday if ``dow`` is false."""
        local_date = date - datetime.timedelta(minutes=gmt_offset)
        _ = self.translate
        pattern = _("%(weekday)s, %(month_name)s %(day)s") if dow else _("%(month_name)s %(day)s")
        return pattern % {
            "month_name": self._months[local_date.month - 1],
            "weekday": self._weekdays[local_date.weekday()],
            "day": str(local_date.day),
        }

    def list(self, parts: Any) -> str:
        """Return an enumeration, such as ``A, B and C``.

        >>> get("en_US").list(["A", "B", "C"])
        'A, B and C'
        """
        if not parts:
            return ""
        if len(parts) == 1:
            return parts[0]  # type: ignore[no-any-return]
        comma = " \u0648 " if self.code.startswith("fa") else ", "
        return self.translate("%(commas)s and %(last)s") % {
            "commas": comma.join(parts[:-1]),
            "last": parts[-1],
        }

    def friendly_number(self, value: int) -> str:
        """Return a number with its thousands set apart, in English; in other languages, plainly.

        >>> get("en_US").friendly_number(1000000)
        '1,000,000'
        """
        return f"{value:,}" if self.code in ("en", "en_US") else str(value)


class CSVLocale(Locale):
    """A locale with the translations of `load_translations`, or with none."""

    def __init__(self, code: str, translations: dict[str, dict[str, str]]) -> None:
        self.translations = translations
        super().__init__(code)

    def translate(
        self, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        form = "unknown"
        if plural_message is not None:
            assert count is not None
            form = "singular" if count == 1 else "plural"
            if count != 1:
                message = plural_message
        return self.translations.get(form, {}).get(message, message)

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        if self.translations:
            gen_log.warning("pgettext is not supported by CSVLocale")
        return self.translate(message, plural_message, count)


class GettextLocale(Locale):
    """A locale with the translations of `load_gettext_translations`."""

    def __init__(self, code: str, translations: gettext.NullTranslations) -> None:
        self.translations = translations
        self.ngettext = translations.ngettext
        self.gettext = translations.gettext
        super().__init__(code)

    def translate(
        self, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        if plural_message is None:
            return self.gettext(message)
        assert count is not None
        return self.ngettext(message, plural_message, count)

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Return the translation of a text in its context, or without one if the catalogue has no other.

        .. code-block:: python

            locale.pgettext("law", "right")
            locale.pgettext("organization", "club", "clubs", len(clubs))

        .. versionadded:: 4.2
        """
        if plural_message is None:
            found = self.gettext(context + CONTEXT_SEPARATOR + message)
        else:
            assert count is not None
            found = self.ngettext(
                context + CONTEXT_SEPARATOR + message, context + CONTEXT_SEPARATOR + plural_message, count
            )
        # What comes back is what was put in, if there is no translation.
        return self.translate(message, plural_message, count) if CONTEXT_SEPARATOR in found else found
