"""Any run of sales through links and beside them answers and leaves what a simple model says."""

import os

import pytest
import redis

from tests.storage.machine_links import LinkSales
from tests.storage.walks import find_mistake, walk_afresh, walk_as_always

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 15)
"""Of 40 calls and more each, for one Redis."""
MOST_RUNS = 2000
"""In which a mistake must be found."""

pytestmark = pytest.mark.timeout(1200)

MISTAKES = {
    "a link takes units that are not there": (
        "open_link",
        "if free < ask.units then",
        "if false then",
    ),
    "a link that was asked for twice takes twice": (
        "open_link",
        "if redis.call('HEXISTS', LINK, 'state') == 1 then",
        "if false then",
    ),
    "nobody looks after a link": (
        "open_link",
        "schedule('link:' .. ask.link, now + ask.ask_ms)",
        "",
    ),
    "a second Payment Link takes the first one's place": (
        "attach_link",
        "if link[2] then return answer('other', link[2]) end",
        "",
    ),
    "a link that was ended meanwhile sells": (
        "attach_link",
        "if link[1] == 'making' then",
        "if true then",
    ),
    "a link sells one unit too many": ("take_unit", "if left < 0 then", "if left < -1 then"),
    "a sale of a link is made twice": (
        "take_unit",
        "if redis.call('HEXISTS', ORDER, 'state') == 1 then",
        "if false then",
    ),
    "a link that is sold out stays open": (
        "take_unit",
        "if left == 0 and link[3] == 'open' then",
        "if false then",
    ),
    "a link is ended again": (
        "end_link",
        "if state == 'closing' or state == 'closed' then",
        "if state == 'closing' then",
    ),
    "Stripe is never told that a link ends": (
        "end_link",
        "schedule('unlink:' .. ask.link, now)",
        "",
    ),
    "what is left of a link stays with it": (
        "close_link",
        "'state', 'closed', 'left', '0',",
        "'state', 'closed',",
    ),
    "the word of before a restart ends a link": (
        "close_link",
        "if this_run() ~= ask.run then",
        "if false then",
    ),
    "the word that Stripe has none ends one that it made": (
        "close_link",
        "if (link[6] or '') ~= ask.stripe then",
        "if false then",
    ),
    "a link that ended is looked after": (
        "close_link",
        "redis.call('ZREM', DUE, 'link:' .. ask.link, 'unlink:' .. ask.link)",
        "",
    ),
    "a hold is extended again and again": (
        "extend_hold",
        "if order[3] then return answer('already', order[2]) end",
        "",
    ),
    "a hold is extended before its payment page is there": (
        "extend_hold",
        "if order[1] ~= 'open' or",
        "if",
    ),
    "more time shortens a hold": (
        "extend_hold",
        "if ask.until_ms <= tonumber(order[2]) then",
        "if false then",
    ),
    "the list of holds has the old deadline": (
        "extend_hold",
        "redis.call('ZADD', HOLDS, deadline, ask.order)",
        "",
    ),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""


def test_the_same_runs_as_always_leave_what_the_model_says() -> None:
    walk_as_always(LinkSales, 2 * RUNS)


def test_fresh_runs_leave_what_the_model_says(
    quick_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    walk_afresh(LinkSales, quick_client, RUNS, capsys)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_script_with_a_mistake_is_found_out(mistake: tuple[str, str, str]) -> None:
    find_mistake(LinkSales, mistake, MOST_RUNS)
