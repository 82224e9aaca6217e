"""plan_refund and record_refund: what the operator wants sent back, with or without its units."""

import json
from dataclasses import replace

import pytest
import redis

from storefront.domain.orders import Plan, State
from storefront.storage.answers import PlanAnswer, Planned, Recorded
from tests.storage.steps import AGAIN_MS, PRICE, Book

ALL = 3 * PRICE


@pytest.fixture
def paid(book: Book) -> Book:
    """Two of five posters and one of two zines sold to o1 for pi_1."""
    book.stock(poster=5, zine=2)
    book.open("o1", {"poster": 2, "zine": 1})
    book.settle("o1", amount=ALL)
    return book


def test_planned_makes_one_refund_due_and_moves_nothing_yet(paid: Book) -> None:
    plan = paid.plan({"poster": 1})
    assert paid.want(plan) == PlanAnswer(Planned.PLANNED)
    order = paid.order("o1")
    assert [replace(one, at=0) for one in order.plans] == [plan]
    assert (order.state, order.own, order.gone) == (State.PAID, {"poster": 2, "zine": 1}, {})
    assert paid.level("poster") == (3, 0, 2, 0, 5)
    assert "refund:o1:pi_1" in paid.due()
    paid.check()


def test_already_counts_a_form_once_whatever_it_says_the_second_time(paid: Book) -> None:
    paid.want(paid.plan({"poster": 1}))
    before = paid.picture()
    assert paid.want(paid.plan({"zine": 1}, amount=1)).word is Planned.ALREADY
    assert paid.picture() == before


def test_too_much_counts_refunds_and_earlier_plans(paid: Book) -> None:
    paid.refund("o1", amount=1000)
    paid.want(paid.plan(amount=2000))
    before = paid.picture()
    too_much = paid.plan(amount=ALL - 2999, key="form-000002")
    assert paid.want(too_much) == PlanAnswer(Planned.TOO_MUCH, left=ALL - 3000)
    assert paid.picture() == before
    assert paid.want(replace(too_much, amount=ALL - 3000)).word is Planned.PLANNED


@pytest.mark.parametrize("to", ["available", "written_off", "sold"])
def test_too_many_counts_the_units_of_earlier_refunds_wherever_they_went(
    paid: Book, to: str
) -> None:
    paid.want(paid.plan({"poster": 1}, to=to))
    paid.refund("o1", amount=PRICE, plan=paid.plan({"poster": 1}, to=to))
    paid.want(paid.plan({"poster": 1}, amount=1, key="form-000002"))
    again = paid.plan({"poster": 1}, amount=1, key="form-000003")
    assert paid.want(again) == PlanAnswer(Planned.TOO_MANY, left=0, sku="poster")
    unknown = paid.plan({"mug": 1}, amount=1, key="form-000004")
    assert paid.want(unknown) == PlanAnswer(Planned.TOO_MANY, left=0, sku="mug")


def test_not_paid_for_a_payment_that_is_not_there_or_goes_back_whole_already(paid: Book) -> None:
    assert paid.want(paid.plan(payment="pi_9")).word is Planned.NOT_PAID
    paid.settle("o1", "pi_2", session="cs_2", amount=ALL)
    assert paid.want(paid.plan(payment="pi_2")).word is Planned.NOT_PAID
    paid.refund("o1", amount=ALL)
    assert paid.want(paid.plan()).word is Planned.NOT_PAID
    assert paid.order("o1").plans == ()


def test_unknown_order_is_told(book: Book) -> None:
    assert book.want(book.plan()).word is Planned.UNKNOWN_ORDER


@pytest.mark.parametrize(
    ("to", "level", "entry"),
    [
        ("available", (4, 0, 1, 0, 5), ("return", "poster", 1, "sold", "available")),
        ("written_off", (3, 0, 1, 1, 5), ("return", "poster", 1, "sold", "written_off")),
        ("sold", (3, 0, 2, 0, 5), ("keep", "poster", 1, "sold", "sold")),
    ],
)
@pytest.mark.parametrize("status", ["succeeded", "pending", "failed"])
def test_units_go_where_the_operator_said_with_the_first_word_of_the_refund_and_once(
    paid: Book, to: str, level: tuple[int, ...], entry: tuple[object, ...], status: str
) -> None:
    plan = paid.plan({"poster": 1}, to=to)
    paid.want(plan)
    told = paid.published(lambda: paid.refund("o1", amount=PRICE, status=status, plan=plan))
    assert paid.level("poster") == level
    assert paid.ledger()[-1] == entry
    [last] = paid.store.ledger.latest(1)
    assert (last.why, last.who, last.order) == ("torn", "admin", "o1")
    assert [json.loads(one)["poster"]["available"] for one in told] == [level[0]]
    order = paid.order("o1")
    assert order.plans[0].refund == "re_1"
    assert order.gone == ({} if to == "sold" else {"poster": 1})
    assert order.state is (State.REVIEW if status == "failed" else State.PAID)
    assert ("mirror:poster" in paid.due()) == (to == "written_off")
    paid.refund("o1", amount=PRICE, status="failed", plan=plan)
    assert paid.level("poster") == level
    paid.check()


def test_a_refund_whose_plan_was_lost_is_carried_out_as_its_metadata_says(paid: Book) -> None:
    plan = paid.plan({"poster": 9, "mug": 2}, to="written_off")
    assert paid.refund("o1", amount=PRICE, plan=plan) is Recorded.RECORDED
    assert paid.level("poster") == (3, 0, 0, 2, 5)
    assert paid.order("o1").own == {"zine": 1}
    paid.check()


def test_a_second_refund_under_one_plan_moves_nothing(paid: Book) -> None:
    plan = paid.plan({"poster": 1})
    paid.want(plan)
    paid.refund("o1", "re_1", amount=PRICE, plan=plan)
    paid.refund("o1", "re_2", amount=PRICE, plan=plan)
    assert paid.level("poster") == (4, 0, 1, 0, 5)
    assert paid.order("o1").refunded == 2 * PRICE


def test_all_units_may_go_back_while_some_money_stays_and_the_state_with_it(paid: Book) -> None:
    plan = paid.plan({"poster": 2, "zine": 1}, amount=ALL - 500)
    paid.want(plan)
    assert paid.refund("o1", amount=ALL - 500, plan=plan) is Recorded.RECORDED
    order = paid.order("o1")
    assert (order.state, order.units, order.own) == (State.PAID, "none", {})
    assert paid.level("poster") == (5, 0, 0, 0, 5)
    assert paid.settle("o1", "pi_2", session="cs_2", amount=ALL) == "duplicate"
    assert paid.refund("o1", "re_2", amount=500, reason="asked") is Recorded.REFUNDED
    assert paid.level("poster") == (5, 0, 0, 0, 5)
    assert len([e for e in paid.ledger() if e[0] == "return"]) == 2
    paid.check()


@pytest.mark.parametrize(
    ("to", "level"),
    [
        ("available", (5, 0, 0, 0, 5)),
        ("written_off", (4, 0, 0, 1, 5)),
        ("sold", (4, 0, 0, 1, 5)),
    ],
)
def test_the_refund_that_completes_them_takes_all_other_units_where_its_plan_says(
    paid: Book, to: str, level: tuple[int, ...]
) -> None:
    first = paid.plan({"poster": 1})
    paid.want(first)
    paid.refund("o1", "re_1", amount=PRICE, plan=first)
    rest = paid.plan(amount=2 * PRICE, to=to, key="form-000002")
    paid.want(rest)
    assert paid.refund("o1", "re_2", amount=2 * PRICE, plan=rest) is Recorded.REFUNDED
    assert (paid.order("o1").state, paid.order("o1").units) == (State.REFUNDED, "none")
    assert paid.level("poster") == level
    paid.check()


def test_a_refund_keeps_its_job_while_another_plan_waits(paid: Book) -> None:
    first, second = paid.plan(amount=100), paid.plan(amount=200, key="form-000002")
    paid.want(first)
    paid.want(second)
    paid.refund("o1", amount=100, plan=first)
    assert paid.due()["refund:o1:pi_1"] <= paid.store.now()
    paid.refund("o1", "re_2", amount=200, plan=second)
    assert "refund:o1:pi_1" not in paid.due()


def test_a_plan_made_while_a_worker_looks_is_not_forgotten(paid: Book) -> None:
    paid.refund("o1", amount=1, status="pending")
    job = replace(
        paid.claim()["mail:refunded:o1:re_1"], name="refund:o1:pi_1", lease=paid.store.now()
    )
    paid.store._client.zadd(paid.store.keys.name("due"), {job.name: job.lease})
    paid.want(paid.plan(amount=100))
    assert paid.store.scripts.finish_due(job, order="o1") == "taken"


def test_a_full_refund_in_the_dashboard_leaves_nothing_to_want(paid: Book) -> None:
    paid.want(paid.plan({"poster": 1}))
    assert paid.refund("o1", amount=ALL) is Recorded.REFUNDED
    assert paid.order("o1").plans[0].given_up
    assert "refund:o1:pi_1" not in paid.due()
    assert paid.level("poster") == (5, 0, 0, 0, 5)
    paid.check()


@pytest.mark.parametrize("already", [False, True], ids=["from paid", "from review"])
def test_what_a_person_must_look_at_is_wanted_anew(paid: Book, already: bool) -> None:
    if already:
        paid.review("o1")
    plan = paid.plan({"poster": 1})
    assert paid.want(plan).word is Planned.PLANNED
    paid.review("o1")
    assert [one.given_up for one in paid.order("o1").plans] == [True]
    assert paid.want(plan).word is Planned.ALREADY
    assert paid.want(paid.plan({"poster": 2}, amount=ALL, key="form-000002")).word == "planned"


def test_a_refund_that_was_on_its_way_when_its_plan_was_given_up_is_carried_out(
    paid: Book,
) -> None:
    plan = paid.plan({"poster": 1})
    paid.want(plan)
    paid.review("o1")
    assert paid.refund("o1", amount=PRICE, plan=plan) is Recorded.RECORDED
    assert paid.level("poster") == (4, 0, 1, 0, 5)
    assert [(p.refund, p.given_up) for p in paid.order("o1").plans] == [("re_1", False)]


def test_units_that_are_only_held_for_a_person_go_back_with_all_the_money_only(
    book: Book,
) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.review("o1", "paid 3000", payment_intent="pi_1", amount=3000)
    assert book.want(book.plan({"poster": 1})) == PlanAnswer(Planned.TOO_MANY, 0, "poster")
    whole = book.plan(amount=3000)
    assert book.want(whole).word is Planned.PLANNED
    assert book.refund("o1", amount=3000, plan=whole) is Recorded.REFUNDED
    assert book.level("poster") == (5, 0, 0, 0, 5)
    book.check()


def test_fields_that_no_form_sends_stop_the_script(paid: Book) -> None:
    wrong: list[Plan] = [
        paid.plan(amount=0),
        replace(paid.plan(), to="stocked"),
        paid.plan({"poster": 0}, amount=1),
    ]
    before = paid.picture()
    for plan in wrong:
        with pytest.raises(redis.ResponseError):
            paid.want(plan)
    assert paid.picture() == before


def test_a_pending_refund_of_a_plan_is_asked_about_again(paid: Book) -> None:
    plan = paid.plan({"poster": 1})
    paid.want(plan)
    job = paid.claim()["refund:o1:pi_1"]
    paid.store.scripts.finish_due(job, order="o1")
    before = paid.store.now()
    paid.refund("o1", amount=PRICE, status="pending", plan=plan)
    assert paid.due()["refund:o1:pi_1"] >= before + AGAIN_MS
