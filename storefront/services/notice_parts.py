"""What mails are made of: a notice is a subject and parts, in the order in which they are read.

A notice is the one source of its mail. ``notice_forms`` writes each part once as text and once as
HTML, so what a kind of mail says is said here and nowhere else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from babel.dates import format_date, format_time

from storefront import languages
from storefront.domain.orders import Order
from storefront.languages import _
from storefront.services import amounts
from storefront.services.terms import address_of, parts_of
from storefront.settings import Settings


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    text: str
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True, slots=True)
class Heading:
    """What the parts below it are about."""

    text: str
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True, slots=True)
class Steps:
    """What happens next, or what to do. One that ends with a page's address leads there."""

    items: tuple[str, ...]
    kind: ClassVar[str] = "steps"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are. A value that ends with a page's address leads there."""

    rows: tuple[tuple[str, str], ...]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True, slots=True)
class Button:
    """Where to go from here."""

    label: str
    link: str
    kind: ClassVar[str] = "button"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that travels with the mail; who reads the text gets what stands in its place."""

    name: str
    """Letters only: its file's name."""
    png: bytes
    side: int
    """Pixels of its width, which is its height too."""
    shows: str
    """What it shows, for who cannot see it."""
    instead: str
    """The same in words, or the address that it holds."""
    kind: ClassVar[str] = "picture"

    @property
    def cid(self) -> str:
        """How the HTML names it."""
        return f"{self.name}@picture"


@dataclass(frozen=True, slots=True)
class LineWords:
    """One line of an order, its prices written out."""

    name: str
    quantity: int
    each: str
    total: str


@dataclass(frozen=True, slots=True)
class Lines:
    """What an order is for and what it costs."""

    rows: tuple[LineWords, ...]
    parts: tuple[tuple[str, str], ...]
    """What comes on top, or is taken off: names and amounts."""
    total: str
    kind: ClassVar[str] = "lines"


Part = Paragraph | Heading | Steps | Facts | Button | Picture | Lines


@dataclass(frozen=True, slots=True)
class Notice:
    """What one mail says."""

    subject: str
    title: str
    parts: tuple[Part, ...]

    @property
    def summary(self) -> str:
        """What mail programs show beside the subject."""
        return next((part.text for part in self.parts if isinstance(part, Paragraph)), "")

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures that travel with it."""
        return tuple(part for part in self.parts if isinstance(part, Picture))


def paragraphs(*texts: str) -> tuple[Paragraph, ...]:
    """A paragraph for each text that is not empty."""
    return tuple(Paragraph(text) for text in texts if text)


def steps(heading: str, items: Iterable[str]) -> tuple[Heading, Steps]:
    """A heading with what is to happen or to be done below it."""
    return Heading(heading), Steps(tuple(items))


@dataclass(frozen=True, slots=True)
class Words:
    """An order's numbers and times as its shop writes them."""

    settings: Settings
    order: Order

    @property
    def locale(self) -> str:
        """How they are written for who reads the current language."""
        return languages.locale(self.settings.shop_locale)

    def money(self, amount: int) -> str:
        """``amount`` minor units of the order's currency, written out."""
        return amounts.written(amount, self.order.currency, self.locale)

    def moment(self, milliseconds: int) -> str:
        """A time, with the zone."""
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        locale = self.locale
        day, time = format_date(moment, "long", locale), format_time(moment, "short", locale=locale)
        return f"{day}, {time} UTC".replace("\u202f", "\u00a0")  # a space that all fonts have

    def lines(self) -> Lines:
        """The order's lines with their prices written out."""
        rows = tuple(
            LineWords(
                # A line's end in a name would break the text form.
                name=" ".join((line.name or line.sku).split()),
                quantity=line.quantity,
                each=self.money(line.unit_amount),
                total=self.money(line.unit_amount * line.quantity),
            )
            for line in self.order.lines
        )
        parts = tuple((name, self.money(amount)) for name, amount in parts_of(self.order))
        return Lines(rows, parts, self.money(self.order.amount))

    def delivery(self) -> tuple[Heading | Paragraph, ...]:
        """Where the goods are sent; nothing when they are not."""
        address = address_of(self.settings, self.order)
        return (Heading(_("Where we send it")), Paragraph(", ".join(address))) if address else ()

    def facts(self, *more: tuple[str, str], first: Sequence[tuple[str, str]] = ()) -> Facts:
        """The order's number and when it was begun, ``first`` before them and ``more`` after."""
        own = ((_("Order"), self.order.id), (_("Begun"), self.moment(self.order.created)))
        return Facts((*first, *own, *more))
