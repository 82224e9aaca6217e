"""The scripts about mail addresses, one typed method for each."""

from storefront.storage.answers import Forgot, Noted, Wished
from storefront.storage.asking import Asking


class Mailing(Asking):
    """Keeps which orders are whose."""

    def note_email(self, order: str, email: str) -> Noted:
        """Keep the shopper's address, which Stripe told."""
        return Noted(self._ask("note_email", order, email=email)[0])

    def mail_orders(self, email: str, *, pause_ms: int) -> Wished:
        """Make the mail with an address's orders due, if it was not within ``pause_ms``.

        Which case the letters of the address have makes no difference, beyond ASCII it does.
        """
        asked = self._keys.asked()
        return Wished(self._ask("mail_orders", "", seen=asked, email=email, pause_ms=pause_ms)[0])

    def forget_customer(self, order: str) -> tuple[Forgot, str]:
        """Take out of an order whose it is; with what is due or where it stands, if not yet."""
        word, *why = self._ask("forget_customer", order, seen=self._keys.asked())
        return Forgot(word), "".join(why)
