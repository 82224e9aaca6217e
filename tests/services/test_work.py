"""What is due is done, by any number of workers, and nothing is ever dropped."""

import pytest
import redis

from storefront.domain.orders import Order, State
from storefront.services import forgetting, mirroring, reconciliation, work
from storefront.storage.answers import Job
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Fuse, Town

HOUR = 3600


def calls(town: Town, name: str) -> int:
    return sum(call == name for call, _ in town.stripe.wire.calls)


def test_nothing_is_done_before_it_is_due(town: Town, opened: Order) -> None:
    assert work.run_due(town.shop, 10) == 0
    town.skip(1919)
    assert work.run_due(town.shop, 10) == 0
    town.skip(1)
    assert work.run_due(town.shop, 10) == 1
    assert town.order(opened).state is State.RELEASED


def test_no_more_jobs_are_taken_than_asked_for(town: Town) -> None:
    for visitor in ("a", "b", "c"):
        town.begin(visitor=visitor)
    town.skip(1920)
    assert [work.run_due(town.shop, 2) for _ in range(3)] == [2, 1, 0]


def test_silence_is_met_with_ever_longer_waits_up_to_half_a_minute(
    town: Town, opened: Order
) -> None:
    town.skip(1920)
    town.stripe.down()
    waits = []
    for _ in range(12):
        town.work()
        [job] = town.shop.store.due.jobs()
        waits.append(job.at - town.shop.store.now())
        town.skip_to(job.at)
    assert 500 <= waits[0] <= 1000
    assert all(15_000 <= wait <= 30_000 for wait in waits[6:])


def test_silence_for_hours_puts_nothing_before_a_person(town: Town, opened: Order) -> None:
    town.stripe.down()
    town.pass_time(3 * HOUR)
    assert town.order(opened).state is State.OPEN
    town.stripe.up()
    town.rest()


def test_silence_for_more_than_three_days_comes_before_a_person(town: Town, opened: Order) -> None:
    town.skip(1920)
    town.stripe.down()
    client, keys = town.shop.store._client, town.shop.store.keys
    client.hset(keys.name("tries"), f"expire:{opened.id}", work.SILENCES - 1)
    town.work()
    order = town.order(opened)
    assert (order.state, order.units, town.level()) == (State.REVIEW, "held", (3, 2, 0))
    assert f"given up after {work.SILENCES} tries: expire" in order.reason
    assert town.mails("review") == [order.id]


def test_a_secret_key_that_is_not_accepted_for_a_while_puts_nothing_before_a_person(
    town: Town, opened: Order
) -> None:
    town.skip(1920)
    town.stripe.fault("expire_session", Fault.UNAUTHORIZED, 40)
    town.stripe.fault("session", Fault.UNAUTHORIZED, 40)
    town.pass_time(1200)
    town.stripe.up()
    town.rest()
    assert town.order(opened).state is State.RELEASED


def test_a_clear_no_that_stays_comes_before_a_person_with_the_units_kept(
    town: Town, opened: Order
) -> None:
    town.skip(1920)
    town.stripe.fault("expire_session", Fault.REFUSED, 99)
    town.stripe.fault("session", Fault.REFUSED, 99)
    town.pass_time(120)
    order = town.order(opened)
    assert (order.state, order.units, town.level()) == (State.REVIEW, "held", (3, 2, 0))
    assert town.due() == set()


def test_a_payment_that_comes_while_a_person_looks_still_gets_the_goods(
    town: Town, opened: Order
) -> None:
    town.skip(1000)
    town.shop.store.scripts.review_order(opened.id, reason="given up")
    town.stripe.pay(opened.session)
    town.deliver()
    town.work()
    assert (town.order(opened).state, town.level()) == (State.PAID, (3, 0, 2))


def test_one_job_s_fault_never_stops_the_others(town: Town, opened: Order) -> None:
    town.shop.store.due.schedule("nonsense:x", 1)
    town.shop.store.due.schedule("mail:nonsense:x", 2)
    town.pass_time(1921)
    assert town.order(opened).state is State.RELEASED
    assert town.due() == set()


def test_a_job_that_two_workers_do_at_once_is_done_once(town: Town, opened: Order) -> None:
    """The first is slower than its lease, so another takes the job."""
    town.skip(1920)

    def slow() -> None:
        town.skip(work.LEASE_MS / 1000 + 1)
        assert work.run_due(town.shop, 1) == 1

    town.stripe.wire.meanwhile("expire_session", before=slow)
    assert work.run_due(town.shop, 1) == 1
    assert (town.order(opened).state, town.level()) == (State.RELEASED, (5, 0, 0))
    town.rest()


def test_a_job_that_is_due_again_while_it_is_done_is_done_again(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay_later(order.session)
    town.deliver()

    def meanwhile() -> None:
        town.shop.store.due.schedule(f"ask:{order.id}", town.shop.store.now())

    with town.fused(Fuse(1, meanwhile, "stripe", after=True)):
        assert work.run_due(town.shop, 1) == 1
    assert work.run_due(town.shop, 1) == 1


def test_the_worker_s_loop_hears_when_redis_is_away_and_the_job_comes_again(
    town: Town, opened: Order
) -> None:
    town.skip(1920)

    def away() -> None:
        raise redis.ConnectionError("away")

    with town.fused(Fuse(2, away, "redis")), pytest.raises(redis.ConnectionError):
        work.run_due(town.shop, 1)
    town.pass_time(work.LEASE_MS / 1000)
    assert town.order(opened).state is State.RELEASED


def test_a_mail_that_could_not_be_sent_is_sent_later_and_noted_once(
    town: Town, opened: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stripe.pay(opened.session)
    town.deliver()
    send = town.shop.mailer.send
    broken = [True]

    def fail(message: object) -> None:
        if broken[0]:
            raise OSError("no mail server")
        send(message)  # type: ignore[arg-type]

    monkeypatch.setattr(town.shop.mailer, "send", fail)
    town.pass_time(60)
    assert town.order(opened).notices == {}
    broken.clear()
    broken.append(False)
    town.pass_time(HOUR)
    assert town.mails() == ["confirmed"]
    assert set(town.order(opened).notices) == {"confirmed"}
    assert town.due() == set()


def test_a_bug_in_a_mail_never_puts_a_paid_order_before_a_person(
    town: Town, opened: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stripe.pay(opened.session)
    town.deliver()

    def fail(_message: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(town.shop.mailer, "send", fail)
    town.pass_time(24 * HOUR)
    assert town.order(opened).state is State.PAID
    assert f"mail:confirmed:{opened.id}" in town.due()


def test_an_order_that_no_webhook_ever_told_is_settled_within_30_s_of_its_deadline(
    build: Build,
) -> None:
    town = build(HOLD_SECONDS="120")
    order = town.begin().order
    town.stripe.pay(order.session)
    town.lose_events()
    town.pass_time(150)
    assert town.order(order).state is State.PAID


def test_every_kind_of_job_that_a_script_or_service_schedules_has_its_work() -> None:
    import re
    from importlib.resources import files
    from pathlib import Path

    lua = files("storefront.storage") / "lua"
    texts = [f.read_text("utf-8") for f in lua.iterdir()]
    services = Path(str(files("storefront.services")))
    texts += [path.read_text("utf-8") for path in services.glob("*.py")]
    texts += [f'schedule("{job}")' for job in (reconciliation.JOB, mirroring.JOB, forgetting.JOB)]
    kinds = set()
    for text in texts:
        kinds |= set(re.findall(r"schedule\(f?['\"]([a-z]+):", text))
        kinds |= set(re.findall(r"(?:local \w+ = )['\"]([a-z]+):['\"] \.\. ask\.order", text))
    assert kinds == {*work.WORK, "mail"}


def test_a_job_s_name_says_all_that_its_work_needs(town: Town) -> None:
    """A restart, another worker, a week later: the name is all that there is."""
    town.shop.store.due.schedule("stray:none:cs_none", 1)
    [job] = town.shop.store.scripts.claim_due(limit=1, lease_ms=0)
    assert isinstance(job, Job)
    assert job.name == "stray:none:cs_none"
