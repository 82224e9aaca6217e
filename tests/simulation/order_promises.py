"""Promises about orders: where they may stand, what is due for them, how many one shopper has."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from storefront.domain.orders import AWAITING, GOODS, HOLDING, MONEY_BACK, Reason, State
from tests.fakes.account import order_named
from tests.simulation.truth import Broken, Truth
from tests.simulation.values import parsed
from tests.simulation.view import GONE, Fields, Session, View, named, noted_back

PLACES: dict[str, frozenset[str]] = {
    **dict.fromkeys(HOLDING, frozenset({"held"})),
    **dict.fromkeys(GOODS, frozenset({"sold", "none"})),  # which of them, WishPromises says
    **dict.fromkeys(MONEY_BACK | {State.RELEASED}, frozenset({"none"})),
    State.REVIEW: frozenset({"held", "sold", "none"}),
}
LATE_MS = 120_000
EXTENSION_SECONDS = 600
"""The longest that a shopper may add to a hold."""


class OrderPromises:
    """Checks each order against its sessions and the list of what is due."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth
        self._states: dict[str, str] = {}
        self._released: set[str] = set()

    def restarted(self, *, lossy: bool) -> None:
        if lossy:
            self._states.clear()

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        sessions: dict[str, list[Session]] = {}
        for session in self._view.sessions():
            sessions.setdefault(order_named(session), []).append(session)
        due = self._view.zset("due")
        live: Counter[str] = Counter()
        alive: Counter[tuple[str, str]] = Counter()
        for order, fields in orders.items():
            self._order(order, fields, sessions.get(order, []))
            self._due(order, fields, sessions.get(order, []), due)
            if fields["state"] in AWAITING and fields["visitor"]:
                live[f"visitor {fields['visitor']}"] += 1
                live[f"address {fields.get('address')}"] += 1
            if fields["state"] in {State.RELEASED, State.VOIDED}:
                self._released.add(order)
            elif (
                fields["visitor"]
                and order not in self._released
                and fields["state"] in HOLDING | GOODS
            ):
                # One that was released and paid late lives beside what the form went on to.
                alive[fields["visitor"], fields["basket"]] += 1
        self._limits(live)
        for who, number in alive.items():
            if number > len(self._truth.forms[who]):
                raise Broken("double click", f"{who} sent {self._truth.forms[who]}, has {number}")

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when a session is left behind."""
        for session in self._view.sessions():
            order = order_named(session)
            if "link" in session["metadata"] and session["status"] != "complete":
                self._visit(session)
                continue
            if order not in orders:
                raise Broken("I4", f"{session['id']} has no order")
            # A person's word released an order whose session nobody had heard of, nor was shown.
            unheard = order in self._truth.by_hand and "session" not in orders[order]
            behind = unheard or session["id"] in self._truth.twins
            if session["status"] == "open" and not behind:
                raise Broken("I6", f"{session['id']} of {order} can still be paid")

    def _visit(self, session: Session) -> None:
        """A visit of a payment link that came to nothing leaves nothing behind."""
        if session["status"] == "open" and self._view.payable(session):
            raise Broken("I6", f"{session['id']} of a link can still be paid")

    def late(self, since: int) -> None:
        """Raises Broken when a hold stands long after a worker could have ended it.

        ``since`` (ms) is when everything worked again.
        """
        now = self._view.now
        for order, deadline in self._view.zset("holds").items():
            fields = self._view.hash(f"order:{order}")
            if fields["state"] in AWAITING and now > max(deadline, since) + LATE_MS:
                raise Broken("I7", f"{order} should have ended {int(now - deadline)} ms ago")

    def _order(self, order: str, fields: Fields, sessions: Sequence[Session]) -> None:
        state = fields["state"]
        at = self._view.units_at(order)
        if at not in PLACES[state]:
            raise Broken("I3", f"{order} is {state}, its units are {at}")
        held_ms = (self._view.town.plan.hold_seconds + EXTENSION_SECONDS) * 1000
        as_held = not {"restored", "at:offered"} & fields.keys()  # the others have their own time
        if as_held and int(fields["deadline"]) > int(fields["created"]) + held_ms:
            raise Broken("extended once", f"{order} is held until {fields['deadline']}")
        was = self._states.get(order, state)
        self._states[order] = state
        after = GOODS | {State.REVIEW, State.REFUNDED}
        if order in self._truth.let_go or order in self._truth.crossed:
            after |= {State.VOIDED, State.VOID_DUE}  # another payment may be authorised after that
            if "at:voided" in fields:  # or one that was charged come too late
                after |= {State.REFUND_DUE}
        if order in self._truth.called_off:
            after |= MONEY_BACK
        if was in GOODS and state not in after:
            raise Broken("I8", f"{order} was {was} and is {state}")
        # No money ever moved for one that is voided: whoever pays it late may have the goods.
        voided = was == State.VOIDED or "at:voided" in fields
        # Nor for one that is to be voided, until somebody captures it in Stripe's dashboard.
        by_hand = any(f"payment:{intent}" in fields for intent in self._truth.captured_by_hand)
        voided |= was == State.VOID_DUE and by_hand
        after = MONEY_BACK | {State.REVIEW} | (GOODS if voided else frozenset())
        if was in MONEY_BACK and state not in after:
            raise Broken("I4", f"{order} was {was} and is {state}")
        # An order that is restored is released for a moment, until its payment is settled.
        lost = state in {State.RELEASED, *MONEY_BACK} and "restored" not in fields
        if lost and order in self._truth.in_time and not self._truth.excuses(order, fields):
            raise Broken("I8", f"{order} was paid in time and is {state}")
        own = [session["id"] for session in sessions if session["id"] not in self._truth.twins]
        if fields["session_version"] == "1" and len(own) > 1 and not self._truth.lossy:
            raise Broken("I6", f"{order} has {own} under one key")
        known = {session["id"]: session for session in sessions}
        for session in parsed(fields.get("sessions", "[]")):
            if session not in known:
                raise Broken("I6", f"{order} has {session}, which is not its own")
        # Where nothing is left for an order that was lost, its session is due to be ended.
        if (
            state == State.RELEASED
            and order not in self._truth.by_hand
            and "restored" not in fields
            and fields["reason"] != "sold_out"  # a link's that began without a unit
        ):
            noted = fields.get("session", "")
            # Only the walk through what Stripe has can find what nobody knows was asked for.
            unheard = [session for session in own if session not in self._truth.astray]
            for session in [noted] if noted else unheard:
                if self._view.payable(known[session]):
                    raise Broken("promise 3", f"{order} was released, {session} can be paid")

    def _due(
        self, order: str, fields: Fields, sessions: Sequence[Session], due: Mapping[str, float]
    ) -> None:
        for job in self._needed(order, fields):
            if job not in due:
                raise Broken("nothing due", f"{order} is {fields['state']}, {job} is not due")
        ends = due.get(f"expire:{order}")
        if ends is not None and fields["state"] in AWAITING and ends < int(fields["deadline"]):
            raise Broken("held in full", f"{order} would end before its deadline")
        for session in sessions:
            # Only a person's word releases an order whose session may be open, and ends it soon.
            if fields["state"] == State.RELEASED and fields.get("session") == session["id"]:
                job = f"stray:{order}:{session['id']}"
                # Money that was on its way when a lost order came back: the next walk ends it.
                soon = job in due or "restored" in fields
                if session["status"] == "open" and self._view.payable(session) and not soon:
                    raise Broken("nothing due", f"{order} is released, {job} is not due")

    def _needed(self, order: str, fields: Fields) -> Iterator[str]:
        state = fields["state"]
        if state in AWAITING:
            yield f"expire:{order}"
        if state in {State.PENDING, State.PROCESSING}:
            yield f"ask:{order}"
        declined = (state, fields.get("reason")) == (State.RELEASED, Reason.DECLINED)
        if declined and "mail:declined" not in fields:
            yield f"mail:declined:{order}"
        if state in {State.PAID, State.FULFILLED} and "mail:confirmed" not in fields:
            yield f"mail:confirmed:{order}"
        for refund, text in named(fields, "refund").items():
            gone = parsed(text)["status"] in GONE
            if not gone and f"mail:refunded:{refund}" not in fields:
                yield f"mail:refunded:{order}:{refund}"
        for payment in named(fields, "voided"):
            if f"mail:voided:{payment}" not in fields:
                yield f"mail:voided:{order}:{payment}"
        if state == State.REVIEW or order in self._truth.for_a_person:
            return
        for plan in map(parsed, named(fields, "plan").values()):
            if not plan.get("refund") and not plan.get("given_up"):
                yield f"refund:{order}:{plan['payment_intent']}"
        for payment in named(fields, "authorized"):
            void = f"void_reason:{payment}" in fields
            yield f"{'void' if void else 'capture'}:{order}:{payment}"
        back = noted_back(fields)
        for payment in named(fields, "refund_reason"):
            if back[payment] < int(fields[f"payment:{payment}"]):
                yield f"refund:{order}:{payment}"

    def _limits(self, live: Counter[str]) -> None:
        plan = self._view.town.plan
        for who, number in live.items():
            most = plan.per_visitor if who.startswith("visitor") else plan.per_address
            if number > most:
                raise Broken("limits", f"{who} has {number} live holds of {most}")
