"""Who tries to get in as the operator, and with which codes, as moves of a machine with a model of its own.

Hypothesis chooses who tries, when, and with which code; phones are set up, shown again, confirmed late and
switched off. After each call all that is kept of the account is held against the model.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from storefront.storage.account import DRAFT_SECONDS
from tests.storage.choices import times
from tests.storage.walker import Walker

MINUTE = 60_000
SLACK = 8 * MINUTE
"""A run of calls takes less. What is passed and what is waited for in the model lies further apart."""
FREE, FIRST, LONGEST, CALM = 2, 49, 150, 530
"""Tries, and minutes; no sum of what is passed comes close to them."""

secrets = st.sampled_from(["S1", "S1", "S2"])
steps = st.sampled_from([7, 8, 8, 9])
digests = st.sampled_from(["aa", "bb", "cc"])
recoveries = st.sampled_from([("aa", "bb"), ("bb", "cc"), ("aa",)])


@dataclass
class AccountModel:
    """What is kept of the account."""

    secret: str = ""
    step: int = 0
    generation: str = ""
    draft: str = ""
    recovery: set[str] = field(default_factory=set)
    tries: int = 0
    since: int = 0
    """Minutes since the last try that was counted."""

    def try_to_get_in(self) -> int:
        """Minutes to wait; 0: it is counted."""
        if self.since < 0 or self.since > CALM:
            self.tries = 0
        over = self.tries - FREE
        wait = min(FIRST * 2**over, LONGEST) if over >= 0 else 0
        if self.tries and self.since < wait:
            return wait - self.since
        self.tries, self.since = self.tries + 1, 0
        return 0

    def use_code(self, secret: str, step: int) -> str:
        if self.secret != secret:
            return "changed"
        if step <= self.step:
            return "spent"
        self.step = step
        return "used"

    def confirm_codes(
        self, secret: str, step: int, generation: str, recovery: tuple[str, ...]
    ) -> str:
        if self.secret == secret:
            return "already"
        if self.draft != secret:
            return "gone"
        self.secret, self.step, self.draft = secret, step, ""
        self.generation, self.recovery = generation, set(recovery)
        return "on"


class Entering(Walker):
    """One operator's account, tried by whoever wants in."""

    def __init__(self) -> None:
        super().__init__()
        self.model = AccountModel()
        self.begun = 0

    def _call(
        self, send: Callable[[], object], expect: Callable[[], object], repeats: int = 1
    ) -> None:
        """Send a call as often as its reply was lost; the model says each answer."""
        for _ in range(repeats):
            self._move_clock()
            assert send() == expect()

    # Tries.

    @rule(number=st.sampled_from([1, 1, 3, 6]))
    def try_to_get_in(self, number: int) -> None:
        for _ in range(number):
            self._move_clock()
            wait = self.store.scripts.count_try(
                free=FREE,
                first_ms=FIRST * MINUTE,
                longest_ms=LONGEST * MINUTE,
                calm_ms=CALM * MINUTE,
            )
            expected = self.model.try_to_get_in() * MINUTE
            assert max(0, expected - SLACK) <= wait <= expected
            assert bool(wait) == bool(expected)

    @rule(minutes=st.sampled_from([20, 60, 60, 160, 540, -60]))
    def let_time_pass(self, minutes: int) -> None:
        """As if the last try had been so much earlier; or the clock was put back."""
        if self.model.tries:
            self.store._client.hincrby(self.store.keys.account(), "tried", -minutes * MINUTE)
            self.model.since += minutes

    @rule()
    def get_in(self) -> None:
        self.store.account.forget_tries()
        self.model.tries = self.model.since = 0

    # Sessions.

    @rule(renew=st.booleans())
    def begin_a_session(self, renew: bool) -> None:
        self.begun += 1
        new = f"g{self.begun}"
        if renew:
            self.store.account.renew_generation(new)
            self.model.generation = new
        else:
            self.model.generation = self.model.generation or new
            assert self.store.account.begin_generation(new) == self.model.generation

    # Codes.

    @rule(secret=secrets)
    def show_a_phone(self, secret: str) -> None:
        self.model.draft = self.model.draft or secret
        assert self.store.account.draft(secret) == self.model.draft

    @rule()
    def show_it_too_long(self) -> None:
        self.store._client.delete(self.store.keys.account_draft())
        self.model.draft = ""

    @rule(secret=secrets, step=steps, recovery=recoveries, repeats=times)
    def confirm_codes(
        self, secret: str, step: int, recovery: tuple[str, ...], repeats: int
    ) -> None:
        self.begun += 1
        new = f"g{self.begun}"
        self._call(
            lambda: self.store.scripts.confirm_codes(
                secret, step, generation=new, recovery=recovery
            ),
            lambda: self.model.confirm_codes(secret, step, new, recovery),
            repeats,
        )

    @rule(secret=secrets, step=steps, later=st.sampled_from([0, 0, 1]), repeats=times)
    def use_code(self, secret: str, step: int, later: int, repeats: int) -> None:
        step = self.model.step + 1 if later else step
        self._call(
            lambda: self.store.scripts.use_code(secret, step),
            lambda: self.model.use_code(secret, step),
            repeats,
        )

    @rule(secret=secrets, step=steps, recovery=recoveries)
    def set_up_a_phone(self, secret: str, step: int, recovery: tuple[str, ...]) -> None:
        """As it usually goes: shown, confirmed, and its first code is used up by that."""
        self.show_it_too_long()
        self.show_a_phone(secret)
        self.confirm_codes(secret, step, recovery, 2)
        self.use_code(secret, step, 0, 1)

    @rule(digest=digests, repeats=times)
    def use_recovery(self, digest: str, repeats: int) -> None:
        def expect() -> bool:
            known = digest in self.model.recovery
            self.model.recovery.discard(digest)
            return known

        self._call(lambda: self.store.account.use_recovery(digest), expect, repeats)

    @rule(recovery=recoveries)
    def replace_recovery(self, recovery: tuple[str, ...]) -> None:
        self.store.account.replace_recovery(recovery)
        self.model.recovery = set(recovery)

    @rule()
    def switch_off(self) -> None:
        self.store.account.switch_off()
        self.model.secret = self.model.draft = ""
        self.model.step = 0
        self.model.recovery.clear()

    # What must be true after each of them.

    @invariant()
    def all_that_is_kept_is_as_the_model_says(self) -> None:
        model, keys = self.model, self.store.keys
        kept = self.client.hgetall(keys.account())
        kept.pop("tried", None)
        told = {
            "secret": model.secret,
            "step": str(model.step or ""),
            "generation": model.generation,
            "tries": str(model.tries or ""),
        }
        assert kept == {name: value for name, value in told.items() if value}
        assert self.store.account.draft() == model.draft
        assert self.client.smembers(keys.account_recovery()) == model.recovery
        assert self.store.account.recovery_left() == len(model.recovery)
        assert self.client.pttl(keys.account()) in {-1, -2}
        left = self.client.pttl(keys.account_draft())
        assert 0 < left <= DRAFT_SECONDS * 1000 if model.draft else left == -2
        names = {keys.account(), keys.account_draft(), keys.account_recovery()}
        assert set(self.client.keys()) <= names
