"""Mails about orders: written when they are due, and sent until they have gone out."""

import hashlib
import logging
import random
import textwrap
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from storefront.clients import mail
from storefront.domain.errors import MailRefused, StripeError, StripeRefused
from storefront.domain.orders import Order
from storefront.services import sessions
from storefront.services.notice_texts import KINDS, Notice, Words
from storefront.services.shop import Shop
from storefront.settings import ROOT

WIDTH = 72
"""Characters in a line of the text form; only an address of a page may be longer."""
SOONEST_MS = 5_000
LATEST_MS = 15 * 60_000
"""A mail that could not go out is tried again after half the time that its order has waited, within
these bounds: a mail server in trouble is asked less and less often."""
BUSY_MS = 1_000
NOT_YET: tuple[type[Exception], ...] = (StripeError, *mail.TEMPORARY)

TEMPLATES = Environment(
    loader=FileSystemLoader(ROOT / "templates" / "mail"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

log = logging.getLogger(__name__)


def send_when_due(shop: Shop, kind: str, order_id: str, about: str = "") -> int | None:
    """The due job ``mail``: write and send one notice about an order.

    Kinds are ``confirmed``, ``refunded`` (``about`` one refund) and ``voided`` (one payment) to the
    customer and ``review`` to the operator. Answers None when it is sent, or when nothing is left
    to say or nobody to say it to; else in how many milliseconds to try again. Sent twice, the mail
    has the same Message-ID. Raises KeyError for another kind, and the store's errors.
    """
    note = {"order": order_id}
    order = shop.store.orders.get(order_id)
    if order is None:
        log.error("mail %s: there is no such order", kind, extra=note)
        return None
    try:
        to = shop.settings.mail_from if kind == "review" else _customer(shop, order)
        if not to:
            log.warning("mail %s: nobody gave an address, not sent", kind, extra=note)
            return None
        order = shop.store.orders.get(order_id) or order  # Stripe may have taken its time
        notice = KINDS[kind](shop, order, about)
        if notice is None:
            log.info("mail %s: no longer true, not sent", kind, extra=note)
            return None
        shop.mailer.send(_message(shop, kind, order, about, notice=notice, to=to))
    except MailRefused as refused:
        log.warning("mail %s: refused for good: %s", kind, refused, extra=note)
        return None
    except mail.MailerBusy:
        return int(BUSY_MS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, guards nothing
    except NOT_YET as error:
        again = _later(shop, order)
        what = f"{type(error).__name__}: {error}"
        log.warning("mail %s: again in %d ms: %s", kind, again, what, extra=note)
        return again
    log.info("mail %s: sent", kind, extra=note)
    return None


def _customer(shop: Shop, order: Order) -> str:
    """The customer's address: as noted, else as Stripe was told, else an empty text."""
    if order.email:
        return order.email
    for session in dict.fromkeys((order.session, *reversed(order.sessions))):
        try:
            email = sessions.read(shop, session).email if session else ""
        except StripeRefused as refused:
            if refused.status != 404:
                raise
            continue
        if email:
            shop.store.orders.note_email(order.id, email)
            return email
    # Paid in a session that nobody has told us of: Stripe's list has it.
    paid = sessions.look_up(shop, order)
    if paid and paid.email:
        shop.store.orders.note_email(order.id, paid.email)
        return paid.email
    return ""


def _message(
    shop: Shop, kind: str, order: Order, about: str, *, notice: Notice, to: str
) -> EmailMessage:
    """The whole mail. Raises MailRefused when ``to`` is no address."""
    settings = shop.settings
    sender = mail.address(settings.mail_from, settings.shop_name)
    try:
        recipient = mail.address(to)
    except ValueError as wrong:
        raise MailRefused(f"the recipient's address is {wrong}") from None
    content = {
        "notice": notice,
        "order": order,
        "words": Words(settings, order),
        "shop_name": settings.shop_name,
        "public_url": settings.public_url,
    }
    text = _wrapped(TEMPLATES.get_template(f"{kind}.txt").render(content))
    html = TEMPLATES.get_template(f"{kind}.html").render(content)

    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Reply-To"] = sender
    message["Subject"] = notice.subject
    message["Date"] = datetime.fromtimestamp(shop.store.now() // 1000, UTC)
    message["Message-ID"] = _message_id(settings.shop_id, kind, order, about, sender)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Shop-Mail"] = kind
    message["X-Shop-Order"] = order.id
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def _message_id(shop_id: str, kind: str, order: Order, about: str, sender: Address) -> str:
    """The same for the same notice, so that mail programs know a repeat.

    An order can come before the operator more than once; then another reason is another notice, and
    must not be taken for the first.
    """
    told = order.reason if kind == "review" else about
    digest = hashlib.sha256(f"{shop_id}\n{kind}\n{order.id}\n{told}".encode()).hexdigest()[:20]
    return f"<{kind}.{order.id}.{digest}@{sender.domain}>"


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


def _later(shop: Shop, order: Order) -> int:
    waited = shop.store.now() - order.updated
    longest = min(max(waited // 2, SOONEST_MS), LATEST_MS)
    return int(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
