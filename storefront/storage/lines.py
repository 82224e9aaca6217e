"""The scripts of the waitlist, one typed method for each."""

from collections.abc import Sequence

from storefront.domain.terms import PLAIN, Terms
from storefront.storage.answers import (
    Confirmed,
    Joined,
    Left,
    Passed,
    TakeAnswer,
    read_take,
)
from storefront.storage.asking import Asking
from storefront.storage.charging import terms_question


class Lines(Asking):
    """Takes places in line, and gives them their offers."""

    def join_line(
        self,
        place: str,
        *,
        sku: str,
        email: str,
        orders: Sequence[str],
        renew: bool,
        again_ms: int,
        lapse_ms: int,
        language: str = "",
    ) -> Joined:
        """Take a place for as many units as ``orders``, ids that its offers will have.

        ``renew``: a place whose units were all offered, and whose offers are over, begins anew.
        """
        answer = self._ask(
            "join_line",
            "",
            place=place,
            sku=sku,
            email=email,
            orders=list(orders),
            renew=renew,
            again_ms=again_ms,
            lapse_ms=lapse_ms,
            language=language,
        )
        return Joined(answer[0])

    def confirm_place(self, place: str) -> Confirmed:
        """Let a place count; units that are there are offered to it at once."""
        return Confirmed(self._ask("confirm_place", "", place=place)[0])

    def leave_line(self, place: str, how: str) -> Left:
        """End a place: ``left``, ``stopped``, or ``lapsed`` when it was never confirmed."""
        return Left(self._ask("leave_line", "", place=place, how=how)[0])

    def take_offer(
        self,
        order: str,
        *,
        form: str,
        terms: Terms = PLAIN,
        hold_ms: int,
        grace_ms: int,
        session_seconds: int,
        ask_ms: int,
    ) -> TakeAnswer:
        """Make of an offer a pending order, with a new deadline and the terms of today."""
        answer = self._ask(
            "take_offer",
            order,
            form=form,
            **terms_question(terms, form),
            hold_ms=hold_ms,
            grace_ms=grace_ms,
            session_seconds=session_seconds,
            ask_ms=ask_ms,
        )
        return read_take(answer)

    def offer_units(self, sku: str) -> Passed:
        """Offer available units to those in line for them."""
        return Passed(self._ask("offer_units", "", sku=sku)[0])
