"""What can go wrong for a person, named so that each gets its own clear answer."""

from dataclasses import dataclass

from storefront.domain.door import WHY, Door


class Refusal(Exception):
    """The shop says no, nothing was changed, and the page says what to do."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """How far the stock of one SKU falls short of what was asked."""

    sku: str
    wanted: int
    available: int
    held: int
    returns_at: int | None
    """Milliseconds: when the first held unit may return; None when none is held, or it is not for
    whoever comes."""
    waited: bool = False
    """Others are in line for it, so what comes free is theirs; ``available`` is 0 then."""


class NotEnoughStock(Refusal):
    """Some line cannot be held in full, so none was."""

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        super().__init__(", ".join(s.sku for s in shortages))
        self.shortages = shortages


class NotOpenYet(Refusal):
    """The product goes on sale later."""

    def __init__(self, sku: str, opens_at: int) -> None:
        super().__init__(sku)
        self.sku, self.opens_at = sku, opens_at


class UnknownSku(Refusal):
    """No published product has this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


class OverLimit(Refusal):
    """More units of one SKU than one order may have."""

    def __init__(self, sku: str, limit: int) -> None:
        super().__init__(sku)
        self.sku, self.limit = sku, limit


class BadInput(Refusal):
    """What was sent is not what the form asks for; the text says what is wrong.

    It is translated where it is shown: ``values`` are what it fills in as ``%(name)s``.
    """

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values if values else text)
        self.text, self.values = text, values


class NotExtendable(Refusal):
    """The hold cannot be given more time."""

    def __init__(self, *, no_room: bool) -> None:
        super().__init__("no room" if no_room else "too late")
        self.no_room = no_room
        """Stripe's payment page ends with the hold as it is."""


class TooManyStreams(Refusal):
    """This process follows as many open pages as it may."""


class TooManyHolds(Refusal):
    """The client's address has as many live holds as one address may have."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many holds from this address")
        self.retry_after = retry_after
        """Seconds until the first of them ends."""


class AlreadyPaid(Refusal):
    """The order cannot be cancelled any more: it is paid, or its payment is on its way."""


class ShopClosed(Refusal):
    """No holds are taken for now; the text says why, to the operator."""

    def __init__(self, door: Door) -> None:
        super().__init__(WHY.get(door, "It is closed").rstrip("."))
        self.door = door


class StripeError(Exception):
    """A call to Stripe did not do what it should."""


class StripeUnreachable(StripeError):
    """Unknown outcome: Stripe did not answer, or answered 409, 429 or 5xx. Never taken for failed."""


class StripeBusy(StripeUnreachable):
    """A request under the same key is being worked on: its answer will be this one's too."""


class StripeSpent(StripeError):
    """A saved 5xx was replayed: this idempotency key will never say anything else."""


class StripeRefused(StripeError):
    """Stripe clearly said no (4xx): nothing was done under this key."""

    def __init__(
        self, message: str, code: str = "", status: int = 400, *, replayed: bool = False
    ) -> None:
        """``replayed``: it was said before, and may not be so any more."""
        super().__init__(message)
        self.code, self.status, self.replayed = code, status, replayed


class StripeKeyMismatch(StripeError):
    """The idempotency key was used before with other parameters, so something may exist."""


class SignatureInvalid(Exception):
    """A webhook's body is not signed by Stripe, or is no event."""


class MailRefused(Exception):
    """The mail server would not take this mail."""
