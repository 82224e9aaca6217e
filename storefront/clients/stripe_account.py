"""What the account itself is set to, for `flask shop doctor`. Nothing here changes anything."""

from storefront.clients.stripe_connection import Connection, each, plain
from storefront.domain.fields import flag, required
from storefront.domain.stripe_account import (
    Endpoint,
    Standing,
    TaxSettings,
    from_account,
    from_endpoint,
    from_tax_settings,
)


class Account(Connection):
    """The account at Stripe."""

    def mode(self) -> str:
        """``live`` or ``test``, as proof that the key works."""
        with self._call("balance_retrieve"):
            balance = plain(self._client.v1.balance.retrieve())
            required(balance, "livemode")
            return "live" if flag(balance, "livemode") else "test"

    def standing(self) -> Standing:
        """What the account may do."""
        with self._call("account_retrieve"):
            return from_account(plain(self._client.v1.accounts.retrieve_current()))

    def webhook_endpoints(self) -> list[Endpoint]:
        """Every webhook endpoint that the account has."""
        with self._call("webhook_list"):
            page = self._client.v1.webhook_endpoints.list({"limit": 100})
            return [from_endpoint(one) for one in each(page)]

    def tax_settings(self) -> TaxSettings:
        """Whether the account can work out tax, and in how many places it collects any.

        https://docs.stripe.com/api/tax/settings, https://docs.stripe.com/api/tax/registrations
        """
        with self._call("tax_settings"):
            settings = plain(self._client.v1.tax.settings.retrieve())
            page = self._client.v1.tax.registrations.list({"status": "active", "limit": 100})
            return from_tax_settings(settings, sum(1 for _ in each(page)))

    def takes_codes(self) -> bool:
        """Whether the account has a promotion code that counts."""
        with self._call("promotion_code_list"):
            page = self._client.v1.promotion_codes.list({"active": True, "limit": 1})
            return next(each(page), None) is not None
