"""What is kept of the operator's account, beside its scripts."""

from collections.abc import Sequence
from typing import Any

import redis

from storefront.storage.keys import Keys

DRAFT_SECONDS = 600


class Account:
    """The account of one shop's operator. The password is not here."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def generation(self) -> str:
        """What every session that counts was begun with; empty when none was begun yet."""
        return self._client.hget(self._keys.account(), "generation") or ""

    def begin_generation(self, new: str) -> str:
        """The generation for a new session: ``new`` when there is none yet."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hsetnx(self._keys.account(), "generation", new)
        pipe.hget(self._keys.account(), "generation")
        kept: str = pipe.execute()[1]
        return kept

    def renew_generation(self, new: str) -> None:
        """Let no session count that was begun before."""
        self._client.hset(self._keys.account(), "generation", new)

    def forget_tries(self) -> None:
        """Somebody got in, so what was tried before makes nobody wait."""
        self._client.hdel(self._keys.account(), "tries", "tried")

    def secret(self) -> str:
        """The secret of the one-time codes; empty when none are asked for."""
        return self._client.hget(self._keys.account(), "secret") or ""

    def draft(self, new: str = "") -> str:
        """The secret that is being set up, for ten minutes: ``new`` when there is none."""
        if new:
            self._client.set(self._keys.account_draft(), new, nx=True, ex=DRAFT_SECONDS)
        return self._client.get(self._keys.account_draft()) or ""

    def recovery_left(self) -> int:
        """How many recovery codes are unused."""
        return int(self._client.scard(self._keys.account_recovery()))

    def use_recovery(self, digest: str) -> bool:
        """Whether this is the hash of an unused recovery code, which counts no more."""
        return bool(self._client.srem(self._keys.account_recovery(), digest))

    def replace_recovery(self, digests: Sequence[str]) -> None:
        """Let these recovery codes count, and none of before."""
        pipe = self._client.pipeline(transaction=True)
        pipe.delete(self._keys.account_recovery())
        pipe.sadd(self._keys.account_recovery(), *digests)
        pipe.execute()

    def switch_off(self) -> None:
        """Ask for no one-time codes any more."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hdel(self._keys.account(), "secret", "step")
        pipe.delete(self._keys.account_recovery(), self._keys.account_draft())
        pipe.execute()
