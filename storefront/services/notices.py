"""Mails about orders: written when they are due, and sent until they have gone out."""

import hashlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from storefront import languages
from storefront.clients import mail
from storefront.domain.errors import MailRefused, StripeError, StripeRefused
from storefront.domain.orders import Order
from storefront.services import (
    notice_forms,
    notice_texts,
    orders_text,
    review_text,
    sessions,
    waitlist_texts,
)
from storefront.services.notice_parts import Notice
from storefront.services.shop import Shop

SOONEST_MS = 5_000
LATEST_MS = 15 * 60_000
"""A mail that could not go out is tried again after half the time that its order has waited, within
these bounds: a mail server in trouble is asked less and less often."""
BUSY_MS = 1_000
AGAIN = ("confirmed", "sent")
"""What can be sent once more: mails that are about all of an order, and not about one refund."""
MOST_AGAIN = 10
"""So often."""
NOT_YET: tuple[type[Exception], ...] = (StripeError, *mail.TEMPORARY)

KINDS: dict[str, Callable[[Shop, Order, str], Notice | None]] = {
    "confirmed": notice_texts.confirmed,
    "processing": notice_texts.processing,
    "declined": notice_texts.declined,
    "sent": notice_texts.sent,
    "refunded": notice_texts.refunded,
    "voided": notice_texts.voided,
    "orders": orders_text.orders,
    "offer": waitlist_texts.offer,
    "offer-missed": waitlist_texts.offer_missed,
    "review": review_text.review,
}
"""What each kind of mail about an order says, given the order and one of its refunds or payments;
None when it is not true any more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice with who gets it."""

    to: str
    kind: str
    notice: Notice
    about: str
    """The order's id, for ``X-Shop-Order``."""
    told: str
    """What makes it another notice of its kind about the same order: a refund, a reason."""


def send_when_due(shop: Shop, kind: str, order_id: str, about: str = "") -> int | None:
    """The due job ``mail``: write and send one notice about an order.

    ``about`` is one refund for the kind ``refunded``, one payment for ``voided``; ``review`` goes to
    the operator, the others to the customer. Answers as ``deliver``. Raises KeyError for a kind
    that is not in ``KINDS``, and the store's errors.
    """
    order = shop.store.orders.get(order_id)
    if order is None:
        log.error("mail %s: there is no such order", kind, extra={"order": order_id})
        return None
    write = KINDS[kind]

    def letter() -> Letter | None:
        to = shop.settings.mail_from if kind == "review" else _customer(shop, order)
        if not to and not order.at_counter:
            log.warning("mail %s: nobody gave an address", kind, extra={"order": order_id})
        if not to:
            return None
        now = shop.store.orders.get(order_id) or order  # Stripe may have taken its time
        notice = write(shop, now, about)
        return Letter(to, kind, notice, order_id, _told(kind, now, about)) if notice else None

    language = languages.ENGLISH if kind == "review" else reader(shop, order.language)
    return deliver(shop, kind, order_id, since=order.updated, language=language, letter=letter)


def reader(shop: Shop, language: str) -> str:
    """The language of a mail for who chose this one, if any."""
    settings = shop.settings
    return languages.understood(language, settings.shop_locale, settings.shop_languages)


def send_again(shop: Shop, order: Order, kind: str, key: str) -> bool:
    """Make a mail that went out due once more, once for each key; False when it never went out."""
    if kind not in AGAIN or kind not in order.notices or order.at_counter:
        return False
    again = sum(name.startswith(f"{kind}:") for name in order.notices)
    if f"{kind}:{key}" not in order.notices and again < MOST_AGAIN:
        shop.store.due.schedule(f"mail:{kind}:{order.id}:{key}", shop.store.now())
    return again < MOST_AGAIN


def _told(kind: str, order: Order, about: str) -> str:
    """What makes a notice another one of its kind about its order, so that it is not taken for that.

    An order can come before the operator more than once, each time for another reason; and its
    customer can ask for all their orders more than once.
    """
    match kind:
        case "review":
            return order.reason
        case "orders":
            return str(order.notices.get("orders", ""))
    return about


def deliver(
    shop: Shop,
    kind: str,
    about: str,
    *,
    since: int,
    language: str,
    letter: Callable[[], Letter | None],
) -> int | None:
    """Send what ``letter`` writes, in this language; for every kind of mail, whatever it is about.

    Answers None when it is sent, or when nothing is left to say or nobody to say it to; else in how
    many milliseconds to try again, which grow with the time since ``since`` (ms). Sent twice, the
    mail has the same Message-ID. Raises the store's errors.
    """
    note = {"order": about}
    try:
        with languages.spoken(language):
            written = letter()
            if written is None:
                log.info("mail %s: not sent", kind, extra=note)
                return None
            message = _message(shop, written)
        shop.mailer.send(message)
    except MailRefused as refused:
        log.warning("mail %s: refused for good: %s", kind, refused, extra=note)
        return None
    except mail.MailerBusy:
        return int(BUSY_MS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, guards nothing
    except NOT_YET as error:
        again = _later(shop.store.now() - since)
        what = f"{type(error).__name__}: {error}"
        log.warning("mail %s: again in %d ms: %s", kind, again, what, extra=note)
        return again
    log.info("mail %s: sent", kind, extra=note)
    return None


def _customer(shop: Shop, order: Order) -> str:
    """The customer's address: as noted, else as Stripe was told, else an empty text."""
    if order.erased or order.at_counter:
        return ""
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
            shop.store.scripts.note_email(order.id, email)
            return email
    # Paid in a session that nobody has told us of: Stripe's list has it.
    paid = sessions.look_up(shop, order)
    if paid and paid.email:
        shop.store.scripts.note_email(order.id, paid.email)
        return paid.email
    return ""


def _message(shop: Shop, letter: Letter) -> EmailMessage:
    """The whole mail. Raises MailRefused when its reader's address is none."""
    settings = shop.settings
    sender = mail.address(settings.mail_from, settings.shop_name)
    try:
        recipient = mail.address(letter.to)
    except ValueError as wrong:
        raise MailRefused(f"the recipient's address is {wrong}") from None
    forms = notice_forms.write(settings, letter.notice)

    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Reply-To"] = sender
    message["Subject"] = letter.notice.subject
    message["Date"] = datetime.fromtimestamp(shop.store.now() // 1000, UTC)
    message["Message-ID"] = _message_id(settings.shop_id, letter, sender)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Shop-Mail"] = letter.kind
    message["X-Shop-Order"] = letter.about
    message.set_content(forms.text, cte="quoted-printable")
    message.add_alternative(forms.html, subtype="html", cte="quoted-printable")
    _, html = message.iter_parts()
    for picture in letter.notice.pictures:
        html.add_related(
            picture.png,
            "image",
            "png",
            cid=f"<{picture.cid}>",
            disposition="inline",
            filename=f"{picture.name}.png",
        )
    return message


def _message_id(shop_id: str, letter: Letter, sender: Address) -> str:
    """The same for the same notice, so that mail programs know a repeat."""
    told = f"{shop_id}\n{letter.kind}\n{letter.about}\n{letter.told}"
    digest = hashlib.sha256(told.encode()).hexdigest()[:20]
    return f"<{letter.kind}.{letter.about}.{digest}@{sender.domain}>"


def _later(waited: int) -> int:
    longest = min(max(waited // 2, SOONEST_MS), LATEST_MS)
    return int(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
