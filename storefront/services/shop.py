"""The shop as every service gets it."""

from dataclasses import dataclass

from storefront.clients.mail import Mailer
from storefront.clients.stripe_api import Stripe
from storefront.settings import Settings
from storefront.storage.store import Store


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop: what its operator decided, what it keeps, and whom it talks to."""

    settings: Settings
    store: Store
    stripe: Stripe
    mailer: Mailer
