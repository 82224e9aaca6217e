"""The scripts of payment links, one typed method for each."""

from dataclasses import asdict
from typing import Any

from storefront.domain.orders import Line, basket_of, total
from storefront.domain.payment_links import ALLOTMENT, PaymentLink
from storefront.storage.answers import (
    LinkAttached,
    LinkClosed,
    LinkEnded,
    LinkOpened,
    LinkRestored,
    UnitTaken,
)
from storefront.storage.asking import Asking


class Linking(Asking):
    """Sets units aside for payment links, and gives them to orders or back to the shelf."""

    def open_link(self, link: PaymentLink, *, who: str, ask_ms: int) -> tuple[LinkOpened, str]:
        """Set the units of a new link aside; answers with what the word is about.

        That is the state (``already``), how many are available (``not_enough``), or why the shop is
        closed.
        """
        word, *about = self._ask_link(
            "open_link",
            link.id,
            **_wanted(link),
            who=who,
            ask_ms=ask_ms,
        )
        return LinkOpened(word), about[0] if about else ""

    def attach_link(self, link: str, *, stripe: str, url: str) -> LinkAttached:
        """Note the Payment Link that Stripe made: the first that comes is the link's own."""
        return LinkAttached(self._ask_link("attach_link", link, stripe=stripe, url=url)[0])

    def take_unit(
        self,
        order: str,
        line: Line,
        *,
        link: str,
        session: str,
        currency: str,
        expires_at: int,
        email: str,
        ask_ms: int,
        in_turn: bool = False,
    ) -> UnitTaken:
        """Make the order of a completed session, with a unit of the link's allotment if it has one.

        ``expires_at`` is in seconds; Stripe is asked again after ``ask_ms``. Unless it is ``in_turn``,
        the order of a link that may be lost is not made.
        """
        answer = self._ask(
            "take_unit",
            order,
            seen=self._keys.link(link),
            link=link,
            session=session,
            lines=[asdict(line)],
            basket=basket_of({line.sku: line.quantity}),
            currency=currency,
            amount=total([line]),
            expires_at=expires_at,
            email=email,
            ask_ms=ask_ms,
            in_turn=in_turn,
        )
        return UnitTaken(answer[0])

    def end_link(self, link: str, *, why: str, who: str) -> LinkEnded:
        """Let a link sell no more, and make it due that Stripe is told."""
        return LinkEnded(self._ask_link("end_link", link, why=why, who=who)[0])

    def close_link(self, link: str, *, why: str, stripe: str, run: str) -> LinkClosed:
        """Give back what is left, on Stripe's word that nobody can pay through the link.

        ``stripe`` is the link there of which Stripe was asked, empty when it has none; ``run`` is the
        server's (from ``read_door``) before that.
        """
        return LinkClosed(self._ask_link("close_link", link, why=why, stripe=stripe, run=run)[0])

    def restore_link(self, link: PaymentLink) -> LinkRestored:
        """Write a link down again that was lost, with as much of ``left`` as is available."""
        answer = self._ask_link(
            "restore_link",
            link.id,
            **_wanted(link),
            left=link.left,
            stripe=link.stripe,
            url=link.url,
        )
        return LinkRestored(answer[0])

    def _ask_link(self, script: str, link: str, **question: Any) -> list[str]:
        """Ask a script that is about a link alone, whose keys stand in the place of an order's."""
        return self._ask(
            script,
            ALLOTMENT + link,
            own=(self._keys.link(link), self._keys.links()),
            link=link,
            **question,
        )


def _wanted(link: PaymentLink) -> dict[str, Any]:
    return {
        "sku": link.sku,
        "units": link.units,
        "unit_amount": link.unit_amount,
        "currency": link.currency,
        "name": link.name,
        "slug": link.slug,
        "image": link.image,
        "capture": link.capture,
    }
