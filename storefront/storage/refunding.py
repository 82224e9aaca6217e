"""The scripts about money that goes back, or may have to; one typed method for each."""

from storefront.domain.orders import Plan
from storefront.domain.payments import DisputeFact
from storefront.storage.answers import Disputed, PlanAnswer, Planned, Recorded, Resumed, Settled
from storefront.storage.asking import Asking, units_of


class Refunding(Asking):
    """Plans refunds, notes them and disputes, and lets authorised orders go."""

    def record_refund(
        self,
        order: str,
        *,
        refund: str,
        payment_intent: str,
        amount: int,
        status: str,
        reason: str,
        again_ms: int,
        plan: Plan | None = None,
        by_hand: bool = False,
        event: str = "",
    ) -> Recorded:
        """Note a refund as Stripe tells it; ``plan`` is what its metadata says that it was for.

        ``by_hand``: a person gives it back, on the word that it is noted.
        """
        answer = self._ask(
            "record_refund",
            order,
            event,
            refund=refund,
            payment_intent=payment_intent,
            amount=amount,
            status=status,
            reason=reason,
            again_ms=again_ms,
            plan=plan.key if plan else "",
            units=units_of(plan) if plan else [],
            to=plan.to if plan else "",
            note=plan.reason if plan else "",
            by_hand=by_hand,
        )
        return Recorded(answer[0])

    def plan_refund(self, order: str, plan: Plan) -> PlanAnswer:
        """Note once what the operator wants sent back, and make it due."""
        word, *rest = self._ask(
            "plan_refund",
            order,
            payment_intent=plan.payment_intent,
            plan=plan.key,
            amount=plan.amount,
            units=units_of(plan),
            to=plan.to,
            handed=dict(plan.handed),
            reason=plan.reason,
            who=plan.who,
        )
        match Planned(word):
            case Planned.TOO_MUCH:
                return PlanAnswer(Planned.TOO_MUCH, left=int(rest[0]))
            case Planned.TOO_MANY:
                return PlanAnswer(Planned.TOO_MANY, sku=rest[0], left=int(rest[1]))
            case other:
                return PlanAnswer(other)

    def cancel_authorized(self, order: str, *, to: str, reason: str, who: str) -> Settled:
        """Cancel an order whose money was only authorised; its units go ``to`` a counter."""
        answer = self._ask("cancel_authorized", order, to=to, reason=reason, who=who)
        return Settled(answer[0])

    def record_dispute(self, order: str, dispute: DisputeFact, event: str = "") -> Disputed:
        """Note a dispute as Stripe tells it; a new one puts the order before a person."""
        answer = self._ask(
            "record_dispute",
            order,
            event,
            dispute=dispute.id,
            payment_intent=dispute.payment_intent,
            amount=dispute.amount,
            status=dispute.status,
            reason=f"the buyer's bank disputes the payment ({dispute.id})",
        )
        return Disputed(answer[0])

    def end_review(self, order: str) -> tuple[Resumed, str]:
        """Give an order its old state back where nothing is left to decide; else why not."""
        word, *rest = self._ask("end_review", order)
        return Resumed(word), rest[0] if rest else ""
