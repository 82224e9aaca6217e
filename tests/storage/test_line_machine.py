"""Any run of joining, leaving and passing by answers and leaves what a simple model of a line says."""

import os

import pytest
import redis

from tests.storage.machine_line import InLine
from tests.storage.walks import find_mistake, walk_afresh, walk_as_always

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 15)
"""Of 40 calls and more each, for one Redis."""
MOST_RUNS = 2000
"""In which a mistake must be found."""

pytestmark = pytest.mark.timeout(1200)

MISTAKES = {
    "who is in line joins again": ("join_line", "if stands then", "if false then"),
    "an unconfirmed place never lapses": (
        "join_line",
        "schedule('lapse:' .. ask.place, now + ask.lapse_ms)",
        "",
    ),
    "a place is confirmed again": (
        "confirm_place",
        "if place.state ~= 'unconfirmed' then return answer('already', place.state) end",
        "",
    ),
    "who leaves stays in line": ("leave_line", "end_place(ask.place, ask.how)", ""),
    "a place that counts lapses": (
        "leave_line",
        "if place.state ~= 'unconfirmed' then return answer('already', place.state) end",
        "",
    ),
    "an offer is taken again": (
        "take_offer",
        "if order[1] ~= 'offered' then return answer('already', order[1]) end",
        "",
    ),
    "freed units are offered to nobody": (
        "books",
        "for sku in pairs(changed) do pass_on(sku) end",
        "",
    ),
    "who was offered all stays in line": (
        "books",
        "redis.call('ZREM', WAITING, offer.member)",
        "",
    ),
    "an offer never ends": ("books", "schedule('expire:' .. offer.order, deadline)", ""),
    "nobody is told of an offer": ("books", "schedule('mail:offer:' .. offer.order, now)", ""),
    "who let an offer pass keeps the place": (
        "release_hold",
        "end_place(fields[8], how, ask.order)",
        "",
    ),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""


def test_the_same_runs_as_always_leave_what_the_model_says() -> None:
    walk_as_always(InLine, 2 * RUNS)


def test_fresh_runs_leave_what_the_model_says(
    quick_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    walk_afresh(InLine, quick_client, RUNS, capsys)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_script_with_a_mistake_is_found_out(mistake: tuple[str, str, str]) -> None:
    find_mistake(InLine, mistake, MOST_RUNS)
