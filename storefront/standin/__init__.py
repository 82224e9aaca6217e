"""A small stateful Stripe over HTTP, with its own payment page, for a shop without an account.

It runs as its own process (``python -m storefront.standin``) and imports nothing of the shop: the
two know each other by Stripe's wire format only, so that what works here works at Stripe.
"""

API_VERSION = "2026-10-28.endive"
"""The version whose objects are answered; the one that stripe-python 16.1 pins."""
