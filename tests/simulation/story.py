"""The timeline of a seed, for a person to read."""

from typing import TYPE_CHECKING, Any

from storefront.domain.orders import Order
from tests.simulation.tasks import Fate, Task
from tests.simulation.town import OPENING

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

WIDTH = 150


class Story:
    """Who did what, when, and what they were answered."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self.lines: list[str] = []

    def tell(self, who: str, what: str) -> None:
        passed = self._sim.town.clock.ms - OPENING
        hours, rest = divmod(passed / 1000, 3600)
        minutes, seconds = divmod(rest, 60)
        when = f"{int(hours):3}:{int(minutes):02}:{seconds:06.3f}"
        self.lines.append(f"{when}  {who:<9}  {what}"[:WIDTH])

    def heard(self, task: Task | None, where: str, name: str, fate: Fate, answer: Any) -> None:
        """A call of a task, and its answer."""
        told = {
            Fate.DONE: "",
            Fate.LOST_REQUEST: " (never arrives)",
            Fate.LOST_REPLY: " (the answer is lost)",
            Fate.RESET: " (the connection is reset)",
            Fate.CRASH_AFTER: " (the process ends before it is answered)",
        }[fate]
        text = "" if fate is Fate.LOST_REQUEST else f" -> {_short(answer)}"
        who, what = (task.process, f"   [{task.name}]") if task else ("", "")
        self.tell(who, f"  {where} {name}{text}{told}{what}")

    def ended(self, task: Task) -> None:
        if task.error is not None:
            self.tell(task.process, f"ends: {task.name} -> {task.error!r}")
        else:
            self.tell(task.process, f"ends: {task.name} -> {_short(task.result)}")

    def __str__(self) -> str:
        return "\n".join([f"seed {self._sim.seed}: {self._sim.plan}", *self.lines])


def _short(answer: Any) -> str:
    if isinstance(answer, Order):
        return f"{answer.id} {answer.state}"
    if hasattr(answer, "order") and isinstance(answer.order, Order):
        return f"{answer.order.id} {answer.order.state}"
    if isinstance(answer, BaseException):
        return repr(answer)
    if hasattr(answer, "body"):
        answer = answer.body
    if isinstance(answer, dict):
        keys = ("id", "status", "payment_status", "amount")
        return " ".join(str(answer[key]) for key in keys if key in answer) or "…"
    return str(answer)[:60]
