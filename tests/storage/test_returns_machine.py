"""Any run of refunds, handovers, disputes and reviews leaves of paid orders what a simple model says."""

import os

import pytest
import redis

from tests.storage.machine_returns import GoingBack
from tests.storage.walks import find_mistake, walk_afresh, walk_as_always

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 10)
"""Of 40 calls and more each, for one Redis."""
MOST_RUNS = 500
"""In which a mistake must be found."""

pytestmark = pytest.mark.timeout(1200)

MISTAKES = {
    "a form that was sent twice is wanted twice": (
        "plan_refund",
        "if plans[ask.plan] then return answer('already') end",
        "",
    ),
    "more is wanted than was paid": ("plan_refund", "if ask.amount > left then", "if false then"),
    "a unit is wanted back twice": (
        "plan_refund",
        "free[line.sku] = math.max(0, (free[line.sku] or 0) - line.quantity)",
        "free[line.sku] = free[line.sku]",
    ),
    "what goes back whole is wanted once more": (
        "plan_refund",
        "not fields[3] or fields[4]",
        "not fields[3]",
    ),
    "what was given up keeps its units": (
        "plan_refund",
        "plan.given_up and {} or plan.lines",
        "plan.lines",
    ),
    "nobody asks Stripe for a refund that is wanted": (
        "plan_refund",
        "schedule_anew('refund:' .. ask.order .. ':' .. payment, now)",
        "",
    ),
    "the units go with each word of a refund": (
        "record_refund",
        "if plan and not plan.refund then",
        "if plan then",
    ),
    "the last units go on sale, wherever the operator said": (
        "record_refund",
        "plan and (plan.to == 'sold' and 'written_off' or plan.to) or 'available'",
        "'available'",
    ),
    "what else is wanted is forgotten": (
        "record_refund",
        "if wanted[ask.payment_intent] or (fields[5] and owed[ask.payment_intent] > 0) then",
        "if fields[5] and owed[ask.payment_intent] > 0 then",
    ),
    "what a person looks at is sent back all the same": (
        "orders",
        "local function keep_for_a_person(lines)\n  give_up_plans()",
        "local function keep_for_a_person(lines)",
    ),
    "units that their customer got meanwhile go on sale": (
        "orders",
        "math.max(0, with - (seen[line.sku] or 0))",
        "0",
    ),
    "what went back is handed over still": (
        "orders",
        "if taken > 0 then redis.call('HINCRBY', ORDER, 'handed:' .. line.sku, int(-taken)) end",
        "",
    ),
    "units that are wanted back are handed over": (
        "hand_over",
        "not plan.refund and not plan.given_up and plan.to ~= 'sold'",
        "false",
    ),
    "an order of which the rest was fetched stays to be fetched": (
        "orders",
        "if all_handed(rest) and redis.call('HGET', ORDER, 'state') == 'paid' then set_state('fulfilled') end",
        "",
    ),
    "what went back since is taken back": (
        "take_back",
        "if units(ORDER, 'handed:' .. line.sku) < line.quantity then return answer('too_late') end",
        "",
    ),
    "a second refund of one plan takes its units again": (
        "record_refund",
        "if plan and (plan.refund or ask.refund) ~= ask.refund then plan = false end",
        "if plan and plan.refund ~= ask.refund then plan.refund = nil end",
    ),
    "a note is kept twice": (
        "note_order",
        "if redis.call('HEXISTS', ORDER, 'note:' .. ask.key) == 1 then return answer('already') end",
        "",
    ),
    "a dispute that was won puts the order aside": (
        "record_dispute",
        "if was or (RANK[ask.status] and ask.status ~= 'lost') then",
        "if was then",
    ),
    "an old word of a dispute undoes its end": (
        "record_dispute",
        "if was and (RANK[was.status] or 1) >= (RANK[ask.status] or 1) then",
        "if was and was.status == ask.status then",
    ),
    "an order resumes whose money is back": (
        "end_review",
        "if (payment == paid_by) == (left <= 0) then return answer('undecided', 'money') end",
        "",
    ),
    "a customer is forgotten who is owed something": (
        "forget_customer",
        "then return answer('owed', job) end",
        "then break end",
    ),
    "a number is given out twice": (
        "number_key",
        "return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)",
        "return 1",
    ),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""


def test_the_same_runs_as_always_leave_what_the_model_says() -> None:
    walk_as_always(GoingBack, 2 * RUNS)


def test_fresh_runs_leave_what_the_model_says(
    quick_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    walk_afresh(GoingBack, quick_client, RUNS, capsys)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_script_with_a_mistake_is_found_out(mistake: tuple[str, str, str]) -> None:
    find_mistake(GoingBack, mistake, MOST_RUNS)
