"""The scripts about the operator's account, one typed method for each."""

import json
from collections.abc import Sequence

from storefront.storage.answers import CodesConfirmed, CodeUsed
from storefront.storage.asking import Asking


class Entering(Asking):
    """Counts who tries to get in, and uses up their codes."""

    def count_try(self, *, free: int, first_ms: int, longest_ms: int, calm_ms: int) -> int:
        """Milliseconds to wait before the next try; 0 when this one is counted and may be made."""
        keys = [self._keys.account()]
        return int(self._scripts["count_try"](keys, [free, first_ms, longest_ms, calm_ms]))

    def use_code(self, secret: str, step: int) -> CodeUsed:
        """Let this time step's code, and any earlier one, count no more."""
        return CodeUsed(self._scripts["use_code"]([self._keys.account()], [secret, step]))

    def confirm_codes(
        self, secret: str, step: int, *, generation: str, recovery: Sequence[str]
    ) -> CodesConfirmed:
        """Ask for one-time codes of ``secret`` from now on; ``recovery`` are hashes."""
        keys = [self._keys.account(), self._keys.account_draft(), self._keys.account_recovery()]
        told = json.dumps(list(recovery))
        return CodesConfirmed(
            self._scripts["confirm_codes"](keys, [secret, step, generation, told])
        )
