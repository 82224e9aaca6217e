"""The two forms of a mail, text and HTML, both made from one notice."""

import textwrap
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from storefront import languages
from storefront.services.notice_parts import Notice
from storefront.settings import ROOT, Settings

WIDTH = 72
"""Characters in a line of the text form; only an address of a page may be longer."""

TEMPLATES = Environment(
    loader=FileSystemLoader(ROOT / "templates" / "mail"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
TEMPLATES.install_gettext_callables(  # type: ignore[attr-defined]
    languages.gettext, languages.ngettext, newstyle=True
)
TEMPLATES.globals["language"] = languages.current


@dataclass(frozen=True, slots=True)
class Forms:
    """One notice, written out twice."""

    text: str
    html: str


def write(settings: Settings, notice: Notice) -> Forms:
    """Both forms. The HTML shows each picture by ``cid:`` and its ``cid``."""
    around = {
        "notice": notice,
        "shop_name": settings.shop_name,
        "public_url": settings.public_url,
    }
    text, html = (
        TEMPLATES.get_template(f"notice.{form}").render(around) for form in ("txt", "html")
    )
    return Forms(_wrapped(text), html)


def _wrapped(text: str) -> str:
    """The text in lines of WIDTH, items of a list indented, never two empty lines in a row."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip():
            lines += textwrap.wrap(
                line,
                WIDTH,
                subsequent_indent="  " if line.startswith("- ") else "",
                break_long_words="://" not in line,
                break_on_hyphens=False,
            )
        elif lines[-1]:
            lines.append("")
    return "\n".join(lines) + "\n"
