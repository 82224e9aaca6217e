"""What somebody in the town could do next; the seed chooses."""

from collections.abc import Callable

from storefront.domain.errors import Refusal, StripeError
from storefront.storage.connection import UNREACHABLE
from tests.simulation.tasks import Crash, Task
from tests.simulation.truth import Broken

Act = tuple[float, Callable[[], None]]
"""How likely, and what."""
ANSWERS: tuple[type[BaseException], ...] = (Refusal, StripeError, Crash, *UNREACHABLE)
"""How a request may end without anything being wrong with the shop."""


def check_answer(task: Task) -> None:
    """Whatever else a request ends with would be a 500."""
    if isinstance(task.error, Broken):
        raise task.error
    if task.error is not None and not isinstance(task.error, ANSWERS):
        raise Broken("an unknown failure", f"{task.name}: {task.error!r}") from task.error
