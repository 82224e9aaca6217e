"""Looks at everything the shop depends on, and says how to mend what is wrong."""

from storefront.clients import web_address
from storefront.domain.door import WHY, Door
from storefront.domain.errors import StripeError, StripeRefused
from storefront.services import account_checks, mirroring, recovery
from storefront.services.findings import Finding, Level
from storefront.services.shop import Shop
from storefront.storage.connection import UNREACHABLE

CLOCK_SECONDS = 30
"""A hold's deadline is Redis' time and a session's end is Stripe's: so far apart is reported."""


def examine(shop: Shop) -> list[Finding]:
    """Every finding, good ones too. Whatever cannot be reached is a finding, not an error."""
    return [
        *settings(shop),
        *redis(shop),
        books(shop),
        *stripe_and_clock(shop),
        *account_checks.examine(shop),
        mirror(shop),
        address(shop),
        *mail(shop),
    ]


def settings(shop: Shop) -> list[Finding]:
    """What the settings allow but should not stay so; wrong ones end every start anyway."""
    found = [
        Finding("settings", Level.WARNING, warning, "See the README's table of settings.")
        for warning in shop.settings.warnings()
    ]
    good = Finding("settings", Level.OK, f"All are allowed ({shop.settings.env}).")
    return found or [good]


def redis(shop: Shop) -> list[Finding]:
    """Whether Redis answers and keeps what it acknowledges."""
    try:
        problems = shop.store.durability(strict=True)
        remarks = shop.store.remarks()
    except UNREACHABLE as error:
        mend = "Start it, or correct REDIS_URL."
        return [Finding("redis", Level.PROBLEM, f"It cannot be reached: {error}.", mend)]
    # Each sentence says what to do, after its colon.
    found = [Finding("redis", Level.PROBLEM, text) for text in problems]
    found += [Finding("redis", Level.WARNING, text) for text in remarks]
    return found or [Finding("redis", Level.OK, "It answers, keeps every write, evicts nothing.")]


def books(shop: Shop) -> Finding:
    """Whether the shop may sell from the books that Redis has."""
    try:
        door = recovery.stands(shop)
    except UNREACHABLE:
        return Finding("books", Level.WARNING, "Redis cannot be asked whether they are whole.")
    if door is Door.OPEN:
        return Finding("books", Level.OK, "They are whole, and the shop is open.")
    detail, _, mend = WHY[door].partition(": ")
    return Finding("books", Level.WARNING, f"{detail}, so nothing is sold.", mend)


def stripe_and_clock(shop: Shop) -> list[Finding]:
    """Whether the key works, and how far Stripe's clock and Redis' are apart."""
    try:
        mode = shop.stripe.mode()
    except StripeRefused as error:
        mend = "Copy the secret key again from https://dashboard.stripe.com/apikeys."
        detail = f"STRIPE_SECRET_KEY was refused: {error}."
        return [Finding("stripe", Level.PROBLEM, detail, mend)]
    except StripeError as error:
        mend = (
            "Start the shop with `make run`: the stand-in is started with it."
            if shop.settings.standin
            else "Check this machine's network and STRIPE_API_BASE."
        )
        return [Finding("stripe", Level.PROBLEM, f"It cannot be reached: {error}.", mend)]
    key = Finding("stripe", Level.OK, f"The key works, in {mode} mode.")
    if shop.settings.standin:
        key = Finding("stripe", Level.OK, "The stand-in answers; no real money moves.")
    return [key, clock(shop)]


def clock(shop: Shop) -> Finding:
    """How far apart the two clocks are, by which holds and sessions end."""
    theirs = shop.stripe.clock
    try:
        ours = shop.store.now() / 1000
    except UNREACHABLE:
        return Finding("clock", Level.WARNING, "Redis cannot be asked for its time.")
    if theirs is None:
        return Finding("clock", Level.WARNING, "Stripe's answer carried no time.")
    apart = abs(ours - theirs)
    if apart > CLOCK_SECONDS:
        detail = f"Redis' clock and Stripe's are {apart:.0f} s apart."
        return Finding("clock", Level.WARNING, detail, "Set the clock of Redis' machine by NTP.")
    # Stripe's header has whole seconds.
    return Finding("clock", Level.OK, f"Redis' clock and Stripe's agree within {apart + 1:.0f} s.")


def mirror(shop: Shop) -> Finding:
    """Whether Stripe takes what a shop that lost its Redis is rebuilt from."""
    try:
        late = mirroring.late(shop.store.snapshot())
    except UNREACHABLE:
        return Finding("mirror", Level.WARNING, "Redis cannot be asked what Stripe was told.")
    if late:
        detail = f"Stripe did not take what came in and was written off of {', '.join(late)}."
        mend = (
            "Look into the worker's log for `mirror`: either Stripe does not answer, or the product's "
            "id is used by another shop of the account (then choose another SHOP_ID)."
        )
        return Finding("mirror", Level.WARNING, detail, mend)
    return Finding("mirror", Level.OK, "Stripe takes what came in and was written off.")


def address(shop: Shop) -> Finding:
    """Whether the shop's own address leads to the shop, as far as this machine can tell."""
    url = f"{shop.settings.public_url}/healthz"
    if why := web_address.unanswered(url):
        mend = "Start the shop, and check PUBLIC_URL, DNS and the proxy in front of it."
        return Finding("address", Level.WARNING, f"{url} does not answer here ({why}).", mend)
    return Finding("address", Level.OK, f"{shop.settings.public_url} answers.")


def mail(shop: Shop) -> list[Finding]:
    """Whether mails can go out. None is sent."""
    if problems := shop.mailer.check():
        return [Finding("mail", Level.WARNING, text) for text in problems]
    if not shop.settings.smtp_url:
        detail = f"Mails are kept as files in {shop.mailer.place}: nobody gets them."
        if shop.settings.env == "production":
            return [Finding("mail", Level.WARNING, detail, "Set SMTP_URL.")]
        return [Finding("mail", Level.OK, detail)]
    return [Finding("mail", Level.OK, f"Mails go out by {shop.mailer.place}.")]
