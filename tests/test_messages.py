"""Every text that shoppers read is in the catalogue of every language, translated, and whole."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment

from storefront import languages
from tests import messages
from tests.messages import ROOT, translated

FOUND = {message.id: message for message in messages.found() if message.id}
SHOWN = ("aria-label", "alt", "title", "placeholder", "data-label", "data-five", "data-one")
"""Attributes whose text somebody reads or hears."""
PAGES = sorted(
    path
    for folder in ("templates", "templates/mail")
    for path in (ROOT / folder).glob("*.html")
    if path.name != "mails.html"  # of development, English
)


def texts(message: Message) -> list[str]:
    return list(message.id if isinstance(message.id, (list, tuple)) else [message.id])


def translations(message: Message) -> list[str]:
    return list(message.string if isinstance(message.string, (list, tuple)) else [message.string])


def names(text: str) -> set[str]:
    """What is filled in."""
    return set(re.findall(r"%\((\w+)\)s", text))


class Words(HTMLParser):
    """Collects what a page says, in its text and in attributes that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in SHOWN]


def bare_words(source: str) -> list[str]:
    """What a template says that stands in no ``_("…")``."""
    source = re.sub(r"{% block (page|body)_class %}[^{]*{% endblock %}", "", source)
    html, calls, strings = [], "", []
    for _, kind, text in Environment().lex(source):
        if kind == "data":
            html.append(text)
        elif kind == "variable_begin" and "".join(html[-1:]).endswith(("<", "</")):
            html.append("p")
        elif kind == "string" and not re.search(r"(_|gettext)\s*\($|gettext\(.*,\s*$", calls):
            strings.append(text[1:-1])
        calls = "" if kind in {"variable_begin", "block_begin"} else calls + text
    words = Words()
    words.feed("".join(html))
    said = [text.strip() for text in words.found if re.search(r"[^\W\d_]{2}", text)]
    return said + [text for text in strings if re.match(r"[A-Z][a-z]+( |$)", text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_says_nothing_that_cannot_be_translated(page: Path) -> None:
    assert bare_words(page.read_text("utf-8")) == []


def test_no_text_stands_where_it_is_not_looked_for() -> None:
    """Inside of an f-string, no program that extracts texts sees it."""
    sources = (ROOT / "storefront").rglob("*.py")
    hidden = re.compile(r"{(_|plural|mark)\(")
    assert hidden.search("f'{_(\"Hello\")}'")
    assert [path for path in sources if hidden.search(path.read_text("utf-8"))] == []


def test_words_that_cannot_be_translated_would_be_seen() -> None:
    page = '<p title="Here">There {{ name or "Nobody" }} {{ _("fine %(n)s", n=_("Well")) }}</p>'
    assert bare_words(page) == ["Here", "There", "Nobody"]


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    """``make messages`` brings it in step."""
    assert {message.id for message in messages.kept(language) if message.id} == set(FOUND)


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_every_text_is_translated_and_none_is_a_guess(language: str) -> None:
    kept = [message for message in messages.kept(language) if message.id]
    assert [message.id for message in kept if message.fuzzy or not translated(message)] == []


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_a_translation_fills_in_what_the_text_fills_in(language: str) -> None:
    wrong = [
        (message.id, translation)
        for message in messages.kept(language)
        if message.id
        for translation in translations(message)
        if names(translation) != set().union(*map(names, texts(message)))
        or "%" in re.sub(r"%\(\w+\)s", "", translation)
    ]
    assert wrong == []


def test_a_text_without_translation_or_place_would_be_seen() -> None:
    assert not translated(Message("Only %(left)s left", ""))
    assert not translated(Message(("one", "many"), ("eins", "")))
    assert names("Nur noch %(rest)s") != names("Only %(left)s left")


def test_german_says_du() -> None:
    formal = re.compile(r"\b(Sie|Ihnen|Ihre?[rnms]?)\b(?! (sind|gehen|werden|stehen|zeigen)\b)")
    kept = [text for m in messages.kept("de") if m.id for text in translations(m)]
    assert [text for text in kept if formal.search(text.partition(" ")[2])] == []


def test_english_is_what_the_code_says_unless_somebody_chose_other_words() -> None:
    for message in messages.kept("en"):
        assert len(translations(message)) == len(texts(message))


def test_a_text_that_nobody_translated_stays_english() -> None:
    with languages.spoken("de"):
        assert languages._("no such text, %(name)s", name="Ada") == "no such text, Ada"


def test_numbers_choose_the_form_of_a_word() -> None:
    with languages.spoken("de"):
        one, two = (languages.plural("item", "items", number) for number in (1, 2))
    assert (one, two) == ("Stück", "Stück")
    assert [languages.plural("item", "items", n) for n in (1, 2)] == ["item", "items"]


@pytest.mark.parametrize(
    ("language", "shop", "locale"),
    [
        ("en", "en_US", "en_US"),
        ("de", "de_CH", "de_CH"),
        ("en", "de_DE", "en_DE"),
        ("de", "en_US", "de"),
        ("en", "ja_JP", "ja_JP"),
    ],
)
def test_amounts_and_times_are_written_as_in_the_shops_country(
    language: str, shop: str, locale: str
) -> None:
    assert languages.locale_in(language, shop) == locale
