"""Whether the Stripe account is set up for what the shop's settings ask of it."""

from storefront.domain.errors import StripeError
from storefront.domain.events import HANDLED
from storefront.services.amounts import written
from storefront.services.findings import Finding, Level
from storefront.services.shop import Shop

EVERYTHING = "*"


def examine(shop: Shop) -> list[Finding]:
    """Every finding about the account, good ones too."""
    found = [payments(shop), capture(shop), page(shop), delivery(shop), webhook(shop)]
    if shop.settings.delivering.automatic_tax:
        found.append(tax(shop))
    if shop.settings.delivering.promotion_codes:
        found.append(codes(shop))
    return found


def payments(shop: Shop) -> Finding:
    """Whether the account may take payments, and by card."""
    try:
        standing = shop.stripe.standing()
    except StripeError as error:
        detail = f"Stripe did not say what the account may do: {error}."
        mend = (
            "A restricted key needs to read the account; else look at "
            "https://dashboard.stripe.com/account/status."
        )
        return Finding("payments", Level.WARNING, detail, mend)
    mend = "Fill in what Stripe asks for at https://dashboard.stripe.com/account/onboarding."
    if not standing.charges:
        detail = "The Stripe account may not take payments yet."
        return Finding("payments", Level.PROBLEM, detail, mend)
    if standing.cards not in {"", "active"}:
        detail = f"The Stripe account may not take cards: that is {standing.cards}."
        return Finding("payments", Level.PROBLEM, detail, mend)
    return Finding("payments", Level.OK, "The Stripe account may take payments.")


def capture(shop: Shop) -> Finding:
    """When money moves, and what that leaves out."""
    manual = shop.settings.capture_method == "manual"
    if manual and shop.settings.delayed_methods:
        detail = (
            "CAPTURE_METHOD is manual and DELAYED_METHODS is on: a payment whose money comes days "
            "later cannot be authorised first, so Stripe does not offer those methods."
        )
        mend = "Set DELAYED_METHODS=off, or CAPTURE_METHOD=automatic."
        return Finding("capture", Level.WARNING, detail, mend)
    if manual:
        detail = (
            "Cards are authorised first, and the worker takes the money once the goods are "
            "committed: keep one running."
        )
    elif shop.settings.delayed_methods:
        detail = (
            "Money is taken at once, or comes days later, and then its units stay held as long."
        )
    else:
        detail = "Money is taken at once, by card and wallet."
    return Finding("capture", Level.OK, detail)


def page(shop: Shop) -> Finding:
    """Where shoppers pay, and with which key; a key of the other mode ends every start anyway."""
    if shop.settings.checkout_ui == "hosted":
        return Finding("page", Level.OK, "Shoppers pay on Stripe's own page.")
    mode = "live" if shop.settings.livemode else "test"
    detail = f"Shoppers pay on the shop's page; both of Stripe's keys are {mode} keys."
    if shop.settings.standin:
        return Finding("page", Level.OK, detail)
    # Two accounts each have keys of both modes, and nothing in a key names its account.
    mend = "Pay once yourself: that the two keys are of one account is only seen there."
    return Finding("page", Level.OK, detail, mend)


def delivery(shop: Shop) -> Finding:
    """How goods reach their buyers, and what that costs."""
    offers, settings = shop.settings.delivering, shop.settings
    if offers.delivery == "pickup":
        return Finding("delivery", Level.OK, "Everything is picked up.")

    def price(amount: int) -> str:
        return written(amount, settings.shop_currency, settings.shop_locale)

    free = offers.delivery_free_from
    detail = f"Orders are sent to {', '.join(offers.delivery_countries)} for "
    detail += price(offers.delivery_rate) + (f", free from {price(free)}" if free else "")
    detail += ", or picked up." if offers.delivery == "both" else "."
    return Finding("delivery", Level.OK, detail)


def webhook(shop: Shop) -> Finding:
    """Whether Stripe tells us of everything at once; without, the worker asks."""
    own = f"{shop.settings.public_url}/webhooks/stripe"
    if shop.settings.standin:
        return Finding("webhook", Level.OK, "The stand-in sends its events to this shop.")
    mend = (
        f"Add {own} at https://dashboard.stripe.com/webhooks, or while trying out run "
        f"`stripe listen --forward-to {own}`; put the secret it shows into STRIPE_WEBHOOK_SECRET."
    )
    try:
        found = [one for one in shop.stripe.webhook_endpoints() if one.url == own]
    except StripeError as error:
        return Finding(
            "webhook", Level.WARNING, f"Stripe did not list its webhooks: {error}.", mend
        )
    heard = {kind for one in found if one.status == "enabled" for kind in one.events}
    if not heard:
        detail = (
            f"Stripe does not send its events to {own}; orders settle by asking, seconds later."
        )
        return Finding("webhook", Level.WARNING, detail, mend)
    if missing := [kind for kind in HANDLED if not heard & {kind, EVERYTHING}]:
        detail = f"Stripe does not send {', '.join(missing)} to {own}: the worker asks, later."
        mend = "Add these events to the endpoint at https://dashboard.stripe.com/webhooks."
        return Finding("webhook", Level.WARNING, detail, mend)
    return Finding("webhook", Level.OK, f"Stripe sends its events to {own}.")


def tax(shop: Shop) -> Finding:
    """Whether Stripe can work out the tax; if not, it refuses every payment page."""
    where = "https://dashboard.stripe.com/settings/tax"
    try:
        found = shop.stripe.tax_settings()
    except StripeError as error:
        detail = (
            f"AUTOMATIC_TAX is on, and Stripe did not say whether it can work tax out: {error}."
        )
        mend = f"A restricted key needs to read tax settings; else look at {where}."
        return Finding("tax", Level.WARNING, detail, mend)
    if found.status != "active":
        missing = f" ({', '.join(found.missing)} is missing)" if found.missing else ""
        detail = f"AUTOMATIC_TAX is on, and Stripe Tax is not set up{missing}: nobody can pay."
        return Finding("tax", Level.PROBLEM, detail, f"Fill it in at {where}.")
    if not found.registered:
        detail = "AUTOMATIC_TAX is on, and no registration is active: Stripe adds no tax anywhere."
        return Finding("tax", Level.WARNING, detail, f"Add where you collect tax at {where}.")
    return Finding("tax", Level.OK, f"Stripe works out the tax; registrations: {found.registered}.")


def codes(shop: Shop) -> Finding:
    """Whether there is a code that the field for codes could take."""
    try:
        found = shop.stripe.takes_codes()
    except StripeError as error:
        detail = f"Stripe did not list its promotion codes: {error}."
        return Finding("codes", Level.WARNING, detail, "A restricted key needs to read them.")
    if found:
        return Finding("codes", Level.OK, "Stripe's page takes the account's promotion codes.")
    detail = "PROMOTION_CODES is on, and the account has no code that is active."
    mend = "Make one at https://dashboard.stripe.com/coupons, or set PROMOTION_CODES=off."
    return Finding("codes", Level.WARNING, detail, mend)
