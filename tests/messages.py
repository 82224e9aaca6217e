"""Finds the texts that shoppers read and keeps the catalogues of all languages in step with them.

``make messages`` (``python -m tests.messages``) runs it: new texts come into each catalogue untranslated,
texts that are gone leave it. English says what the code says until somebody writes something else.
"""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from storefront import languages

ROOT = Path(__file__).resolve().parent.parent
SINCE = datetime(2026, 11, 26, tzinfo=UTC)
"""The date in the catalogues: it says nothing that git does not, and must not change by itself."""
KEYWORDS = {
    "_": None,
    "gettext": None,
    "mark": None,
    "BadInput": None,
    "plural": (1, 2),
    "ngettext": (1, 2),
}
"""What the texts stand in. A refusal's words are shown to who typed something wrong."""
ENGLISH_ONLY = (
    "storefront/standin/",
    "storefront/web/admin/",
    "storefront/cli/",
    "storefront/services/counter.py",
    "storefront/services/editing.py",
    "storefront/services/giving_back.py",
    "storefront/services/payment_links.py",
    "storefront/services/pictures.py",
    "templates/admin/",
)
"""The operator's, and the stand-in's."""


def found() -> Catalog:
    """A catalogue of every text, with the files that it stands in."""
    catalogue = Catalog(project="storefront", version="", domain=languages.DOMAIN)
    for folder, method in (("storefront", "python"), ("templates", "jinja2")):
        map_ = [("**.py", method), ("**.html", method), ("**.txt", method)]
        for name, _, message, _, context in extract_from_dir(
            ROOT / folder, method_map=map_, keywords=KEYWORDS
        ):
            path = f"{folder}/{name}"
            if not path.startswith(ENGLISH_ONLY) and path != "storefront/languages.py":
                catalogue.add(message, None, [(path, None)], context=context)
    return catalogue


def kept(language: str) -> Catalog:
    """The catalogue of a language as it is in its file."""
    with languages.path_of(language).open("rb") as file:
        return read_po(file, locale=language, domain=languages.DOMAIN)


def begun(language: str) -> Catalog:
    """A catalogue of a new language."""
    return Catalog(
        language,
        languages.DOMAIN,
        header_comment="# What shoppers read. See CONTRIBUTING.md before changing it.",
        project="storefront",
        version="1",
        msgid_bugs_address="the repository",
        last_translator="the repository",
        language_team="the repository",
        fuzzy=False,
    )


def translated(message: Message) -> bool:
    """Whether it has all its texts."""
    texts = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return bool(texts) and all(texts)


def update(language: str) -> None:
    """Bring a catalogue's file in step with the texts. Nothing is guessed, so nothing gets fuzzy."""
    path = languages.path_of(language)
    catalogue = kept(language) if path.exists() else begun(language)
    catalogue.update(found(), no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    catalogue.creation_date = catalogue.revision_date = SINCE
    if language == languages.ENGLISH:
        for message in catalogue:
            if message.id and not translated(message):
                message.string = message.id
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, catalogue, width=100, omit_header=False, sort_output=True, include_lineno=False
        )


if __name__ == "__main__":
    for language in sorted(one.name for one in languages.FOLDER.iterdir() if one.is_dir()):
        update(language)
