"""The scripts that bring books back after a restart or a loss, one typed method for each."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from storefront.domain.door import Door
from storefront.domain.lost import Lost
from storefront.storage.answers import Opened, Recounted, Restored
from storefront.storage.asking import units_of
from storefront.storage.charging import Charged
from storefront.storage.lines import Lines


class Restoring(Lines):
    """Restores what was lost, and opens the shop when it is whole."""

    def read_door(self) -> tuple[Door, str]:
        """How the door stands, and the run id of the server that answers."""
        answer = self._scripts["read_door"](
            [self._keys.door(), self._keys.name("stock:stocked")], []
        )
        return Door(answer[0]), str(answer[1])

    def open_shop(self, *, run: str, rebuilt: bool = False) -> Opened:
        """Open the shop, whose books were found whole on the server with this run id."""
        answer = self._ask("open_shop", "", run=run, rebuilt=rebuilt)
        return Opened(answer[0])

    def restore_order(
        self, lost: Lost, *, state: str, reason: str = "", grace_ms: int, told: Sequence[str] = ()
    ) -> Restored:
        """Write down again an order that was lost, in state ``open``, ``released`` or ``refunded``.

        ``told`` are the kinds of mails (``confirmed``, ``refunded:<refund>``) that went out already.
        """
        answer = self._ask(
            "restore_order",
            lost.order,
            state=state,
            reason=reason,
            created=lost.created,
            lines=[asdict(line) for line in lost.lines],
            basket=lost.basket,
            currency=lost.currency,
            amount=lost.amount,
            terms=lost.terms.to_json(),
            **_parts(lost),
            deadline=lost.deadline,
            grace_ms=grace_ms,
            expires_at=lost.expires_at,
            sessions=list(lost.sessions),
            strays=list(lost.strays),
            url=lost.url,
            email=lost.email,
            payment_intent=lost.payment_intent,
            payments=[
                {"id": payment, "amount": amount, "reason": lost.reason_of(payment)}
                for payment, amount in lost.payments.items()
            ],
            refunds=[asdict(refund) for refund in lost.refunds],
            plans={
                plan.key: {
                    "payment_intent": plan.payment_intent,
                    "amount": plan.amount,
                    "lines": units_of(plan),
                    "to": plan.to,
                    "reason": plan.reason,
                    "who": plan.who,
                    "refund": plan.refund,
                }
                for plan in lost.plans
            },
            gone=dict(lost.gone),
            told=list(told),
        )
        return Restored(answer[0])

    def recount_stock(
        self, sku: str, *, stocked: int, written_off: int, reason: str, who: str
    ) -> Recounted:
        """Bring what ever came in of a SKU, and what was written off, up to these numbers."""
        answer = self._ask(
            "recount_stock",
            "",
            sku=sku,
            stocked=stocked,
            written_off=written_off,
            reason=reason,
            who=who,
        )
        return Recounted(answer[0])


def _parts(lost: Lost) -> dict[str, Any]:
    """What its total is made of; nothing for an order of which the goods are all of it."""
    if lost.terms.plain:
        return {}
    charged = Charged(
        total=lost.amount,
        shipping=lost.shipping,
        tax=lost.parts.tax if lost.parts else 0,
        discount=lost.parts.discount if lost.parts else 0,
        way=lost.way,
        recipient=lost.recipient,
    )
    return {"parts": charged.question()}
