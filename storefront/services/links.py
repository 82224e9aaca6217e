"""The unguessable links to orders and to places in line, derived from ids and ``SECRET_KEY``.

Nothing is stored for them, so they outlive the loss of Redis. A token is the order's id and 100 bits
of an HMAC; keys in ``SECRET_KEY_FALLBACKS`` still open the links they made.
"""

import base64
import hmac
import re

from storefront.settings import Settings

ID_LENGTH = 16
SIGNATURE_LENGTH = 20
PICKUP = "/admin/pickup/"
STALL_LENGTH = 26
"""Characters of five bits: 130."""
TOKEN = re.compile(rf"[a-z2-7]{{{ID_LENGTH}}}-[a-z2-7]{{{SIGNATURE_LENGTH}}}")


def order_id(settings: Settings, *parts: str) -> str:
    """An id for an order, always the same for the same parts (visitor, form token, basket, …)."""
    return _digest(settings.secret_key, "order-id", *parts)[:ID_LENGTH]


def token(settings: Settings, order: str) -> str:
    """The order's token in links."""
    return _sign(settings, "order-link", order)


def order(settings: Settings, order: str) -> str:
    """The absolute link to the order's page."""
    return f"{settings.public_url}/orders/{token(settings, order)}"


def pickup(settings: Settings, order: str) -> str:
    """The absolute link in the code that is shown when an order is fetched; for the operator.

    Its token opens nothing but that page: who reads it off a code cannot open the order with it.
    """
    return f"{settings.public_url}{PICKUP}{pickup_token(settings, order)}"


def pickup_token(settings: Settings, order: str) -> str:
    """The token in that link."""
    return _sign(settings, "pick-up", order)


def place_ids(settings: Settings, sku: str, email: str) -> list[str]:
    """The id of an address's place in the line for a SKU, and those that older secrets gave it."""
    secrets = (settings.secret_key, *settings.secret_key_fallbacks)
    return [_digest(one, "place-id", sku, email.lower())[:ID_LENGTH] for one in secrets]


def place(settings: Settings, place: str) -> str:
    """The absolute link to a place in the waitlist, which only the mail to its address has."""
    return f"{settings.public_url}/waitlist/{place_token(settings, place)}"


def place_token(settings: Settings, place: str) -> str:
    """The place's token in links."""
    return _sign(settings, "waitlist", place)


def open_place(settings: Settings, text: str) -> str | None:
    """The place's id, when the token is one of ours."""
    return _open(settings, "waitlist", text)


def stall(settings: Settings) -> str:
    """The absolute link to the screen for the counter, which asks for no login."""
    return f"{settings.public_url}/stall/{_digest(settings.secret_key, 'stall')[:STALL_LENGTH]}"


def opens_stall(settings: Settings, text: str) -> bool:
    """Whether this is the key in that link; the time that it takes tells nothing of the key."""
    secrets = (settings.secret_key, *settings.secret_key_fallbacks)
    keys = [_digest(secret, "stall")[:STALL_LENGTH] for secret in secrets]
    same = [hmac.compare_digest(key.encode(), text.encode()) for key in keys]
    return any(same)


def admin_order(settings: Settings, order: str) -> str:
    """The absolute link to the order's page in the admin."""
    return f"{settings.public_url}/admin/orders/{order}"


def payment(settings: Settings, payment_intent: str) -> str:
    """The payment's page in Stripe's dashboard; empty when there is none to lead to."""
    if settings.stripe_api_base or not payment_intent.startswith("pi_"):
        return ""
    mode = "" if settings.livemode else "test/"
    return f"https://dashboard.stripe.com/{mode}payments/{payment_intent}"


def event(settings: Settings, event_id: str) -> str:
    """The event's page in Stripe's dashboard; empty when there is none to lead to."""
    if settings.stripe_api_base or not event_id.startswith("evt_"):
        return ""
    return f"https://dashboard.stripe.com/{'' if settings.livemode else 'test/'}events/{event_id}"


def payment_page(settings: Settings, order: str) -> str:
    """The absolute link to our own payment page of the order."""
    return f"{settings.public_url}/pay/{token(settings, order)}"


def open_token(settings: Settings, text: str) -> str | None:
    """The order's id, when the token is one of ours."""
    return _open(settings, "order-link", text)


def open_pickup(settings: Settings, text: str) -> str | None:
    """The order's id, when the token is one of ours from a pick-up code."""
    return _open(settings, "pick-up", text)


def _sign(settings: Settings, purpose: str, order: str) -> str:
    return f"{order}-{_digest(settings.secret_key, purpose, order)[:SIGNATURE_LENGTH]}"


def _open(settings: Settings, purpose: str, text: str) -> str | None:
    if not TOKEN.fullmatch(text):
        return None
    found, _, signature = text.partition("-")
    for secret in (settings.secret_key, *settings.secret_key_fallbacks):
        expected = _digest(secret, purpose, found)[:SIGNATURE_LENGTH]
        if hmac.compare_digest(expected, signature):
            return found
    return None


def _digest(secret: str, *parts: str) -> str:
    # Length before each part, so that no two lists of parts read the same.
    message = "".join(f"{len(part)}:{part}" for part in parts)
    digest = hmac.digest(secret.encode(), message.encode(), "sha256")
    return base64.b32encode(digest).decode().lower()
