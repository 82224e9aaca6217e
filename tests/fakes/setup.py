"""What the account of the fake is set to."""

from typing import TYPE_CHECKING

from storefront.domain.stripe_account import Endpoint, Standing, TaxSettings

if TYPE_CHECKING:
    from tests.fakes.faults import Wire


class Setup:
    """The methods of ``clients.stripe_account.Account``."""

    wire: "Wire"
    livemode: bool

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self.stands = Standing(charges=True, cards="active")
        self.taxes = TaxSettings("active", (), 1)
        self.has_codes = True

    def mode(self) -> str:
        self.wire.get("mode", lambda: None)
        return "live" if self.livemode else "test"

    def standing(self) -> Standing:
        found: Standing = self.wire.get("standing", lambda: self.stands)
        return found

    def webhook_endpoints(self) -> list[Endpoint]:
        return list(self.wire.get("webhook_endpoints", lambda: self.endpoints))

    def tax_settings(self) -> TaxSettings:
        found: TaxSettings = self.wire.get("tax_settings", lambda: self.taxes)
        return found

    def takes_codes(self) -> bool:
        return bool(self.wire.get("takes_codes", lambda: self.has_codes))
