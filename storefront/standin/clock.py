"""Stripe's own clock: the machine's, moved forward on request."""

import time


class Clock:
    """Tells Stripe's time in epoch seconds; every rule of the stand-in uses it and nothing else."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def time(self) -> float:
        """Stripe's time in seconds, with fractions."""
        return time.time() + self.ahead

    def now(self) -> int:
        """Stripe's time in whole seconds, as in every `created`."""
        return int(self.time())

    def advance(self, seconds: float) -> None:
        """Moves the clock forward by `seconds`; ValueError when that would turn it back."""
        if seconds < 0:
            raise ValueError("Stripe's clock only goes forward")
        self.ahead += seconds
