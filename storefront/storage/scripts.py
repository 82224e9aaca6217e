"""The shop's Lua scripts, one typed method for each.

Answers are words (the enums of ``answers``). Every script may be sent again after its reply was
lost: it is idempotent by order id, PaymentIntent, refund, event or key. Any method raises the errors
of ``connection.UNREACHABLE`` when Redis does not answer, and then nothing or everything was done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from storefront.domain.terms import PLAIN, Terms
from storefront.storage.answers import (
    Attached,
    Chosen,
    Extended,
    HoldAnswer,
    Job,
    Limits,
    Noted,
    Published,
    Renewed,
    Restocked,
    Settled,
    Wanted,
    read_hold,
)
from storefront.storage.charging import Charged, Told, terms_question
from storefront.storage.counting import Counting
from storefront.storage.entering import Entering
from storefront.storage.handing import Handing
from storefront.storage.linking import Linking
from storefront.storage.mailing import Mailing
from storefront.storage.numbering import Numbering
from storefront.storage.refunding import Refunding
from storefront.storage.restoring import Restoring


class Scripts(Restoring, Refunding, Handing, Mailing, Linking, Counting, Entering, Numbering):
    """Runs the scripts of one shop."""

    def hold_stock(
        self,
        order: str,
        wanted: Sequence[Wanted],
        *,
        basket: str,
        form: str = "hosted",
        currency: str,
        amount: int,
        terms: Terms = PLAIN,
        visitor: str,
        address: str,
        limits: Limits,
        hold_ms: int,
        grace_ms: int,
        session_seconds: int,
        ask_ms: int,
        language: str = "",
    ) -> HoldAnswer:
        """Hold every line's units for one new order, or none.

        ``amount`` is that of the goods, in minor units. Where our own page asks how they reach the
        shopper, no payment can be made before ``choose_way``.
        """
        answer = self._ask(
            "hold_stock",
            order,
            lines=[asdict(w.line) | {"limit": w.limit, "opens_at": w.opens_at} for w in wanted],
            basket=basket,
            form=form,
            currency=currency,
            amount=amount,
            **terms_question(terms, form),
            visitor=visitor,
            address=address,
            visitor_limit=limits.visitor,
            address_limit=limits.address,
            hold_ms=hold_ms,
            grace_ms=grace_ms,
            session_seconds=session_seconds,
            ask_ms=ask_ms,
            language=language,
            count="checkouts",
        )
        return read_hold(answer)

    def attach_session(self, order: str, *, session: str, url: str, ending: str = "") -> Attached:
        """Note the session that Stripe made: the first that comes is the order's own.

        ``ending``: why it is ended at once, so that nobody is led to it.
        """
        answer = self._ask("attach_session", order, session=session, url=url, ending=ending)
        return Attached(answer[0])

    def renew_session(self, order: str, *, version: int, session_seconds: int) -> Renewed:
        """Number a new creation, because version ``version`` of the key will never say more."""
        answer = self._ask("renew_session", order, version=version, session_seconds=session_seconds)
        return Renewed(answer[0])

    def choose_way(
        self, order: str, parts: Charged | None, *, ask_ms: int, told: Told | None = None
    ) -> Chosen:
        """Keep how the goods reach the shopper, once; only then can the payment be made.

        ``told``: the order's payment at Stripe says so, and Redis has lost it.
        """
        asked: dict[str, Any] = {"told": asdict(told)} if told else {}
        answer = self._ask("choose_way", order, **_parts(parts), ask_ms=ask_ms, **asked)
        return Chosen(answer[0])

    def extend_hold(self, order: str, *, until_ms: int, grace_ms: int) -> Extended:
        """Let an open order's hold end at ``until_ms`` instead, once."""
        answer = self._ask("extend_hold", order, until_ms=until_ms, grace_ms=grace_ms)
        return Extended(answer[0])

    def settle_payment(
        self,
        order: str,
        *,
        payment_intent: str,
        session: str,
        amount: int,
        parts: Charged | None = None,
        email: str,
        in_turn: bool = False,
        event: str = "",
    ) -> Settled:
        """Give the goods for a payment that succeeded, or make its refund due.

        ``in_turn``: whoever paid in time has the goods by now, should Redis have lost anything.
        """
        answer = self._ask(
            "settle_payment",
            order,
            event,
            payment_intent=payment_intent,
            session=session,
            amount=amount,
            **_parts(parts),
            email=email,
            in_turn=in_turn,
        )
        return Settled(answer[0])

    def authorize_payment(
        self,
        order: str,
        *,
        payment_intent: str,
        session: str,
        amount: int,
        parts: Charged | None = None,
        capture_before: int,
        email: str,
        in_turn: bool = False,
        event: str = "",
    ) -> Settled:
        """Commit the goods to a payment that a bank agreed to, or make its void due."""
        answer = self._ask(
            "authorize_payment",
            order,
            event,
            payment_intent=payment_intent,
            session=session,
            amount=amount,
            **_parts(parts),
            capture_before=capture_before,
            email=email,
            in_turn=in_turn,
        )
        return Settled(answer[0])

    def void_payment(
        self, order: str, *, payment_intent: str, reason: str, event: str = ""
    ) -> Settled:
        """Note that an authorisation ended without money; its goods go back on sale."""
        answer = self._ask(
            "void_payment", order, event, payment_intent=payment_intent, reason=reason
        )
        return Settled(answer[0])

    def mark_processing(
        self,
        order: str,
        *,
        session: str,
        payment_intent: str,
        email: str,
        ask_ms: int,
        event: str = "",
    ) -> Settled:
        """Keep the units while the money is on its way; ask again after ``ask_ms``."""
        answer = self._ask(
            "mark_processing",
            order,
            event,
            session=session,
            payment_intent=payment_intent,
            email=email,
            ask_ms=ask_ms,
        )
        return Settled(answer[0])

    def release_hold(
        self,
        order: str,
        *,
        session: str,
        version: int,
        reason: str,
        who: str = "",
        event: str = "",
    ) -> Settled:
        """Give held units back, on Stripe's word about ``session`` (or, named, on a person's)."""
        answer = self._ask(
            "release_hold",
            order,
            event,
            session=session,
            version=version,
            reason=reason,
            who=who,
        )
        return Settled(answer[0])

    def review_order(
        self,
        order: str,
        *,
        reason: str,
        payment_intent: str = "",
        amount: int = 0,
        email: str = "",
        event: str = "",
    ) -> Settled:
        """Put the order before a person, its units kept where they are."""
        answer = self._ask(
            "review_order",
            order,
            event,
            reason=reason,
            payment_intent=payment_intent,
            amount=amount,
            email=email,
        )
        return Settled(answer[0])

    def restock(self, sku: str, *, delta: int, reason: str, who: str, key: str) -> Restocked:
        """Add units (``delta`` above 0) or take available ones away, once for each key."""
        question = {
            "order": "",
            "sku": sku,
            "delta": delta,
            "reason": reason,
            "who": who,
            "event": key,
        }
        keys = [
            *self._keys.books(),
            self._keys.restock(key),
            self._keys.order(""),
            self._keys.hold(""),
        ]
        return Restocked(self._send("restock", keys, question)[0])

    def publish_catalogue(
        self,
        products: Mapping[str, str],
        stock: Mapping[str, int],
        *,
        version: str,
        who: str,
        lost: bool = False,
        since: str | None = None,
    ) -> list[str] | None:
        """Write products (JSON by slug); answers the SKUs that got their first stock.

        ``since``: None, and nothing is changed, unless this is the catalogue's version still.

        ``lost``: the books of this shop were lost, so the shop stays closed until it is rebuilt, and
        the stock is only remembered for that.
        """
        question = {
            "order": "",
            "products": dict(products),
            "stock": dict(stock),
            "version": version,
            "who": who,
            "lost": lost,
        }
        if since is not None:
            question["since"] = since
        keys = [
            *self._keys.books(),
            self._keys.seen(""),
            self._keys.name("catalogue"),
            self._keys.name("catalogue:version"),
        ]
        word, *fresh = self._send("publish_catalogue", keys, question)
        return None if word == Published.CHANGED else fresh

    def note_ending(self, order: str, reason: str) -> Noted:
        """Keep why an order's payment is being ended; empty when the attempt failed."""
        return Noted(self._scripts["note_ending"]([self._keys.order(order)], [reason]))

    def claim_due(self, *, limit: int, lease_ms: int) -> list[Job]:
        """Take at most ``limit`` jobs that are due; after ``lease_ms`` they are due again."""
        lease, run, *rest = self._scripts["claim_due"](
            [self._keys.name("due"), self._keys.name("tries")], [limit, lease_ms]
        )
        return [
            Job(rest[i], int(lease), int(rest[i + 1]), int(rest[i + 2]), run)
            for i in range(0, len(rest), 3)
        ]

    def finish_due(self, job: Job, *, order: str, field: str = "") -> str:
        """Take the job off the list, noting the time in ``field`` of the order if one is named."""
        return self._finish(job, order, 0, field, fresh=True)

    def postpone_due(self, job: Job, *, order: str, delay_ms: int, fresh: bool = False) -> str:
        """Put the job back on the list, due again in ``delay_ms`` (1 or more).

        ``fresh``: it went well and only has to be done again, so its tries start anew.
        """
        return self._finish(job, order, max(1, delay_ms), "", fresh=fresh)

    def _finish(self, job: Job, order: str, delay_ms: int, field: str, *, fresh: bool) -> str:
        keys = [self._keys.name("due"), self._keys.name("tries"), self._keys.order(order)]
        answer: str = self._scripts["finish_due"](
            keys, [job.name, job.lease, delay_ms, field, int(fresh), job.run]
        )
        return answer


def _parts(parts: Charged | None) -> dict[str, Any]:
    """Nothing when the goods are all that was charged."""
    return {"parts": parts.question()} if parts else {}
