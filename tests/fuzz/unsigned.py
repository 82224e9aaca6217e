"""Webhooks that Stripe did not sign: true events, with any header but the right one."""

import hashlib
import hmac
import json
import random
import time

from tests.fuzz.groups import Attack, Found, chance_of
from tests.fuzz.mutations import Mutator
from tests.fuzz.oracle import LONGEST_BODY
from tests.fuzz.stage import SECRET, Stage


class Unsigned(Attack):
    """Bodies with a signature that is none, or another's, or of another time or body."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._events = [*stage.told, *stage.heard]

    def play(self, seed: int) -> None:
        chance = chance_of(seed)
        if chance.random() < 0.7:  # true to the last letter: only the signature is missing
            body = json.dumps(chance.choice(self._events)).encode()
        else:
            body = Mutator(chance, self._events, self._events).body()
        if chance.random() < 0.02:
            body += b" " * LONGEST_BODY
        header = self._header(chance, body)
        headers = {"Content-Type": "application/json"}
        if header is not None:
            headers["Stripe-Signature"] = header
        reply = self.stage.send("POST", "/webhooks/stripe", headers, body)
        sent = f"the header {header!r:.2000} over {body[:300]!r}"
        try:
            self.harmless(reply, sent)
            self.outcomes[str(reply.status)] += 1
            if reply.status != (413 if len(body) > LONGEST_BODY else 400):
                raise Found(f"{reply.status} for {sent}")
            if not self.stage.untouched():
                raise Found(f"{self.stage.changes()} for {sent}")
        finally:
            self.stage.restore()

    def _header(self, chance: random.Random, body: bytes) -> str | None:
        now = int(time.time())
        right = _digest(SECRET, now, body)
        at = chance.randrange(len(right))
        flipped = right[:at] + ("0" if right[at] != "0" else "1") + right[at + 1 :]
        old = now - chance.choice((301, 3600, 10**6))
        odd = "".join(chr(chance.randrange(1, 256)) for _ in range(chance.randrange(60)))
        whole: tuple[str | None, ...] = (
            None,
            "",
            odd,
            f"t={now},v1={flipped}",
            f"t={now},v1={right[:at]}",
            f"t={now},v1={right}0",
            f"t={now},v1={right.upper() if right.upper() != right else flipped}",
            f"t={now},v0={right}",
            f"t={now},v2={right}",
            f"v1={right}",
            f"t={now}",
            f"t={old},v1={right}",
            f"t={old},v1={_digest(SECRET, old, body)}",
            f"t={now},v1={_digest(SECRET, now, body + b' ')}",
            f"t={now},v1={_digest('whsec_of_eve', now, body)}",
            f"t={now},v1={_digest('', now, body)}",
            f"t={now + 1},v1={right}",
            f"t=0,t={now},v1={right}",
            f"t={'9' * chance.choice((20, 400, 5000))},v1={right}",
            f"t={odd},v1={flipped}",
            f"t={now},v1={odd}",
            f"t={now};v1={right}",
            f"t={now},{'v1=00,' * chance.choice((1, 100, 3000))}v1={flipped}",
            f"t={-now},v1={right}",
            f"t=nan,v1={right}",
            f"t={now},v1=",
            f"t={now}=1=2,v1",
            right,
        )
        return chance.choice(whole)


def _digest(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
