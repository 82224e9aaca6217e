"""Signed webhooks: Stripe's own events, changed at any place and in any way."""

from tests.fuzz.changes import judged
from tests.fuzz.groups import Attack, Found, chance_of
from tests.fuzz.mutations import Mutator
from tests.fuzz.oracle import expect
from tests.fuzz.stage import Reply, Stage

ABOUT = {
    "sessions": ("checkout.session.",),
    "payments": ("payment_intent.",),
    "refunds": ("refund.", "charge."),
}


class SignedEvents(Attack):
    """Bodies that bear Stripe's signature, whatever is in them."""

    def __init__(self, stage: Stage, about: str) -> None:
        super().__init__(stage)
        events = [*stage.heard, *stage.told]
        self._first = [e for e in events if e["type"].startswith(ABOUT[about])]
        self._all = events
        self._orders = {order.id: order for order in stage.shop.store.orders.walk()}
        self._seen = {
            key.removeprefix("seen:")
            for key in (key.partition(":")[2] for key in stage.picture)
            if key.startswith("seen:")
        }

    def play(self, seed: int) -> None:
        body = Mutator(chance_of(seed), self._first, self._all).body()
        reply = self._deliver(body)
        shown = body if len(body) < 3000 else body[:1500] + b" ... " + body[-500:]
        sent = f"the signed body {shown!r}"
        try:
            self.harmless(reply, sent)
            self._right(body, reply, sent)
        finally:
            self.stage.restore()

    def _deliver(self, body: bytes) -> Reply:
        headers = {"Stripe-Signature": self.stage.signature(body)}
        headers["Content-Type"] = "application/json"
        return self.stage.send("POST", "/webhooks/stripe", headers, body)

    def _right(self, body: bytes, reply: Reply, sent: str) -> None:
        expected = expect(body, self._orders, self._seen)
        if reply.status != expected.status:
            raise Found(f"{reply.status} and not {expected.status} for {sent}")
        if reply.status != 200:
            self.outcomes[str(reply.status)] += 1
            if not self.stage.untouched():
                raise Found(f"{reply.status}, and {self.stage.changes()} for {sent}")
            return
        self.outcomes[reply.text.partition('":"')[2].partition('"')[0]] += 1
        changes = self.stage.changes()
        wrong = list(judged(self.stage, expected, changes, self._orders))
        if wrong:
            raise Found("\n".join([*wrong, f"{expected} for {sent}", f"answered {reply.text}"]))
