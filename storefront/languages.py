"""What shoppers read, in their language: the catalogues in ``translations/``, and which one counts now.

A text stands in the code in English: in ``_("…")`` where it is shown, in ``plural(…)`` where it counts
something, in ``mark("…")`` where it is only written down and shown later. What is filled in has a name
(``%(limit)s``), because other languages order it otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale, localedata
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER = Path(__file__).resolve().parent / "translations"
DOMAIN = "shop"
ENGLISH = "en"
"""Of the texts in the code, of the admin, and of what nobody has chosen a language for."""


def path_of(language: str) -> Path:
    """The catalogue of a language, there or not."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


LANGUAGES = tuple(sorted(one.name for one in FOLDER.iterdir() if path_of(one.name).exists()))
"""Those that there is a catalogue of."""

_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


@cache
def catalogue(language: str) -> Translations:
    """The texts of a language, read from its ``.po`` file, so that there is nothing to build."""
    compiled = BytesIO()
    with path_of(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled, DOMAIN)


def speak(language: str) -> None:
    """From now on texts of this thread, or this request, are of this language."""
    _spoken.set(language)


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Texts are of this language for as long as the block runs."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def current() -> str:
    """The language that counts now."""
    return _spoken.get()


def gettext(text: str) -> str:
    """The text in the current language, as templates ask for it."""
    return catalogue(current()).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """The one of two texts that goes with a number, in the current language."""
    return catalogue(current()).ngettext(one, many, number)


def _(text: str, /, **values: object) -> str:
    """The text in the current language, with ``values`` in the place of their names."""
    found = gettext(text)
    return found % values if values else found


def plural(one: str, many: str, number: int, /, **values: object) -> str:
    """As ``_``, for what there is ``number`` of, which is filled in as ``%(num)s``."""
    return ngettext(one, many, number) % {"num": number, **values}


def mark(text: str) -> str:
    """The text itself: it belongs into the catalogues, and ``_`` is asked for it later."""
    return text


@cache
def locale_in(language: str, shop_locale: str) -> str:
    """How amounts and times are written for who reads a language: as in the shop's country.

    Where nobody has written down how a language is used there, as that language does at home. A shop
    whose own language has no catalogue keeps its own ways in all of them.
    """
    own = Locale.parse(shop_locale)
    if language == own.language or own.language not in LANGUAGES:
        return str(own)
    there = f"{language}_{own.territory}"
    return there if localedata.exists(there) else language


def locale(shop_locale: str) -> str:
    """As ``locale_in``, for the current language."""
    return locale_in(current(), shop_locale)


def understood(language: str, shop_locale: str, languages: tuple[str, ...]) -> str:
    """A language that was chosen once, while the shop still speaks it; else its own."""
    return language if language in languages else own_language(shop_locale, languages)


def own_language(shop_locale: str, languages: tuple[str, ...]) -> str:
    """The language of who asks for none of ``languages``: the shop's own, else the first of them."""
    own = Locale.parse(shop_locale).language
    return own if own in languages else languages[0]
