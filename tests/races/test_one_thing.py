"""Whatever thirty-two clients do to one thing at the same moment, it is done once."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest

from storefront.domain.products import Level
from storefront.storage.answers import (
    Attached,
    Corrected,
    Held,
    Job,
    Limits,
    Planned,
    Recorded,
    Renewed,
    Restocked,
    Settled,
    Undone,
)
from tests.books import broken
from tests.races.clients import Act, Clients
from tests.races.conftest import Figure
from tests.races.sizes import CLIENTS, ROUNDS
from tests.storage.steps import PRICE, Book

LEASE_MS = 60_000
JOBS = 100
REST = CLIENTS - 1


def rounds(clients: Clients) -> Iterator[Book]:
    """An empty shop with five posters for each round; its books must agree when the round is over."""
    for _ in range(ROUNDS):
        book = clients.fresh()
        book.stock(poster=5)
        yield book
        assert broken(book.store) == []


def numbered(act: Callable[[Book, int], object]) -> list[Act[object]]:
    """The act for every client, with the client's number."""
    return [lambda book, n=n: act(book, n) for n in range(CLIENTS)]


def test_one_form_sent_by_all_holds_once(clients: Clients) -> None:
    for book in rounds(clients):
        answers = clients.at_once([lambda book: book.hold("o1", {"poster": 2}).word] * CLIENTS)
        assert Counter(answers) == {Held.HELD: 1, Held.ALREADY: REST}
        assert book.level("poster") == (3, 2, 0, 0, 5)


def test_one_visitor_with_many_forms_gets_no_more_than_the_limit(clients: Clients) -> None:
    limits = Limits(visitor=2, address=0)
    for book in rounds(clients):
        answers = clients.at_once(
            numbered(
                lambda book, n: book.hold(f"o{n}", {"poster": 1}, visitor="ada", limits=limits).word
            )
        )
        assert Counter(answers) == {Held.HELD: 2, Held.VISITOR_LIMIT: CLIENTS - 2}
        assert book.level("poster") == (3, 2, 0, 0, 5)


def test_of_many_sessions_one_is_the_order_s_own_and_the_others_are_ended(clients: Clients) -> None:
    for book in rounds(clients):
        book.hold("o1", {"poster": 1})
        answers = clients.at_once(numbered(lambda book, n: book.attach("o1", f"cs_{n}")))
        assert Counter(answers) == {Attached.ATTACHED: 1, Attached.TOO_LATE: REST}
        own = book.order("o1").session
        strays = {f"stray:o1:cs_{n}" for n in range(CLIENTS) if f"cs_{n}" != own}
        assert {job for job in book.due() if job.startswith("stray:")} == strays


def test_a_spent_key_is_renewed_once(clients: Clients) -> None:
    for book in rounds(clients):
        book.hold("o1", {"poster": 1})
        answers = clients.at_once(
            [lambda b: b.store.scripts.renew_session("o1", version=1, session_seconds=1920)]
            * CLIENTS
        )
        assert Counter(answers) == {Renewed.RENEWED: 1, Renewed.STALE: REST}
        assert book.order("o1").session_version == 2


def test_one_payment_told_by_all_sells_once(clients: Clients) -> None:
    for book in rounds(clients):
        book.open("o1", {"poster": 2})
        answers = clients.at_once(numbered(lambda book, n: book.settle("o1", event=f"evt_{n}")))
        assert Counter(answers) == {Settled.SOLD: 1, Settled.ALREADY: REST}
        assert book.level("poster") == (3, 0, 2, 0, 5)
        assert all(book.seen_ttl(f"evt_{n}") > 0 for n in range(CLIENTS))


def test_many_payments_of_one_order_buy_once_and_the_others_go_back(clients: Clients) -> None:
    for book in rounds(clients):
        book.open("o1", {"poster": 2})
        answers = clients.at_once(numbered(lambda book, n: book.settle("o1", f"pi_{n}")))
        assert Counter(answers) == {Settled.SOLD: 1, Settled.DUPLICATE: REST}
        assert book.level("poster") == (3, 0, 2, 0, 5)
        order = book.order("o1")
        due = {f"refund:o1:{payment}" for payment in order.payments} - {
            f"refund:o1:{order.payment_intent}"
        }
        assert {job for job in book.due() if job.startswith("refund:")} == due
        assert len(due) == REST


def test_one_refund_told_by_all_counts_once(clients: Clients) -> None:
    for book in rounds(clients):
        book.open("o1", {"poster": 2})
        book.settle("o1")
        answers = clients.at_once([lambda book: book.refund("o1", reason="asked")] * CLIENTS)
        assert Counter(answers) == {Recorded.REFUNDED: 1, Recorded.ALREADY: REST}
        assert book.level("poster") == (5, 0, 0, 0, 5)


def test_a_refund_whose_states_come_in_any_order_ends_in_the_last_one(clients: Clients) -> None:
    for book in rounds(clients):
        book.open("o1", {"poster": 2})
        book.settle("o1")
        clients.at_once(
            numbered(lambda book, n: book.refund("o1", status=("pending", "succeeded")[n % 2]))
        )
        [refund] = book.order("o1").refunds
        assert refund.status == "succeeded"
        assert "refund:o1:pi_1" not in book.due()
        assert book.level("poster") == (5, 0, 0, 0, 5)


def test_operators_who_refund_the_same_line_at_once_count_once_each_form_and_each_unit(
    clients: Clients, figure: Figure
) -> None:
    """A thousand forms in all for two units, each sent by two: one unit for each of two forms."""
    forms = 0
    for book in (book for _ in range(3) for book in rounds(clients)):
        book.open("o1", {"poster": 2})
        book.settle("o1")
        forms += CLIENTS // 2

        def ask(book: Book, n: int) -> str:
            form = f"form-{n // 2:06d}"
            return str(book.want(book.plan({"poster": 1}, amount=1, key=form)).word)

        answers = Counter(clients.at_once(numbered(ask)))
        assert answers[Planned.PLANNED] == 2
        assert answers[Planned.ALREADY] == 2
        assert answers[Planned.TOO_MANY] == CLIENTS - 4
        wanted = book.order("o1").plans
        assert len(wanted) == 2
        told = [plan for plan in wanted for _ in range(CLIENTS // 2)]
        clients.at_once(
            [
                lambda book, plan=plan: book.refund(
                    "o1", f"re_{plan.key}", amount=1, plan=plan, reason="operator"
                )
                for plan in told
            ]
        )
        assert book.level("poster") == (5, 0, 0, 0, 5)
        assert len([e for e in book.ledger() if e[0] == "return"]) == 2
    figure(
        f"refunds of one line: {forms} forms for two units in {3 * ROUNDS} rounds, two counted each"
    )


def test_operators_who_refund_the_last_money_at_once_send_it_once(clients: Clients) -> None:
    for book in rounds(clients):
        book.open("o1", {"poster": 2})
        book.settle("o1")
        answers = clients.at_once(
            numbered(
                lambda book, n: str(book.want(book.plan(amount=3000, key=f"form-{n:06d}")).word)
            )
        )
        assert Counter(answers) == {Planned.PLANNED: 1, Planned.TOO_MUCH: REST}


def test_a_restock_with_one_key_is_done_once(clients: Clients) -> None:
    for book in rounds(clients):
        for delta, level in ((3, (8, 0, 0, 0, 8)), (-4, (4, 0, 0, 4, 8))):
            answers = clients.at_once(
                [
                    lambda book, delta=delta: book.store.scripts.restock(
                        "poster", delta=delta, reason="delivery", who="ada", key=f"k{delta}"
                    )
                ]
                * CLIENTS
            )
            assert Counter(answers) == {Restocked.DONE: 1, Restocked.ALREADY: REST}
            assert book.level("poster") == level


def test_two_operators_who_restock_the_same_thing_a_thousand_times_each_count_once(
    clients: Clients,
) -> None:
    """Each sends every form twice, as a double click does; both use up the other's time."""

    def operator(name: str) -> Act[Counter[Restocked]]:
        def work(book: Book) -> Counter[Restocked]:
            said: Counter[Restocked] = Counter()
            for turn in range(500):
                for _ in range(2):
                    said[
                        book.store.scripts.restock(
                            "poster", delta=1, reason="box", who=name, key=f"{name}-{turn}"
                        )
                    ] += 1
            return said

        return work

    book = clients.fresh()
    book.stock(poster=5)
    for said in clients.at_once([operator("ada"), operator("bob")]):
        assert said == {Restocked.DONE: 500, Restocked.ALREADY: 500}
    assert book.level("poster") == (1005, 0, 0, 0, 1005)
    by = Counter(entry.who for entry in book.store.ledger.walk())
    assert (by["ada"], by["bob"]) == (500, 500)
    assert broken(book.store) == []


def test_a_count_confirmed_by_all_is_done_once_and_the_others_see_other_books(
    clients: Clients,
) -> None:
    shown = Level("poster", available=5, stocked=5)
    for book in rounds(clients):
        answers = clients.at_once(
            numbered(
                lambda book, n: (
                    book.store.scripts.correct_stock(
                        shown,
                        counted=9,
                        apart=0,
                        apart_seen=0,
                        reason="counted",
                        who="ada",
                        key=f"k{n}",
                    ).word
                )
            )
        )
        assert Counter(answers) == {Corrected.DONE: 1, Corrected.STALE: REST}
        assert book.level("poster") == (9, 0, 0, 0, 9)


def test_an_entry_that_all_undo_is_undone_once(clients: Clients) -> None:
    for book in rounds(clients):
        [entry] = book.store.ledger.latest(1)
        answers = clients.at_once(
            [lambda book, entry=entry: book.store.scripts.undo_entry(entry.id, who="ada").word]
            * CLIENTS
        )
        assert Counter(answers) == {Undone.DONE: 1, Undone.ALREADY: REST}
        assert book.level("poster") == (0, 0, 0, 5, 5)


def test_units_taken_away_by_all_never_go_below_none(clients: Clients) -> None:
    for book in rounds(clients):
        answers = clients.at_once(
            numbered(
                lambda book, n: book.store.scripts.restock(
                    "poster", delta=-2, reason="broken", who="ada", key=f"k{n}"
                )
            )
        )
        assert Counter(answers) == {Restocked.DONE: 2, Restocked.NOT_ENOUGH: CLIENTS - 2}
        assert book.level("poster") == (1, 0, 0, 4, 5)


def test_a_catalogue_published_by_all_stocks_once(clients: Clients) -> None:
    for book in rounds(clients):
        answers = clients.at_once(
            numbered(
                lambda book, n: book.store.scripts.publish_catalogue(
                    {"zine": "{}"}, {"zine": 7, "poster": 9}, version=f"v{n}", who="ada"
                )
            )
        )
        assert sorted(map(str, answers)) == ["['zine']"] + ["[]"] * REST
        assert book.level("zine") == (7, 0, 0, 0, 7)
        assert book.level("poster") == (5, 0, 0, 0, 5)


def test_a_catalogue_that_all_change_as_they_read_it_is_changed_by_one(clients: Clients) -> None:
    for book in rounds(clients):
        since = book.store.catalogue.read().version
        answers = clients.at_once(
            numbered(
                lambda book, n, since=since: book.store.scripts.publish_catalogue(
                    {"zine": f'{{"variants":[],"by":{n}}}'},
                    {f"zine-{n}": 1},
                    version=f"by {n}",
                    who="ada",
                    since=since,
                )
            )
        )
        [winner] = [n for n, fresh in enumerate(answers) if fresh is not None]
        assert answers[winner] == [f"zine-{winner}"]
        stocked = {level.sku for level in book.store.stock.levels()}
        assert {sku for sku in stocked if sku.startswith("zine")} == {f"zine-{winner}"}


def work(book: Book) -> list[Job]:
    """A worker that claims a few jobs at a time until none is due."""
    found: list[Job] = []
    while jobs := book.store.scripts.claim_due(limit=3, lease_ms=LEASE_MS):
        found += jobs
    return found


def test_each_job_goes_to_one_worker_for_its_lease(clients: Clients, figure: Figure) -> None:
    names = {f"ask:o{n}" for n in range(JOBS)}
    busy = []
    for book in rounds(clients):
        for tries in (1, 2):
            # The second time, the leases of the first are over, for all workers died.
            book.store._client.zadd(book.store.keys.name("due"), dict.fromkeys(names, 1))
            taken = clients.at_once([work] * CLIENTS)
            jobs = [job for jobs in taken for job in jobs]
            assert Counter(job.name for job in jobs) == dict.fromkeys(names, 1)
            assert {job.tries for job in jobs} == {tries}
            busy.append(sum(map(bool, taken)))
        # Whoever had a job before comes too late with it: only the lease that stands ends it.
        late = [replace(job, lease=job.lease - 1) for job in jobs]
        ends = [
            lambda book, some=some[start::4]: [
                str(book.store.scripts.finish_due(job, order="")) for job in some
            ]
            for some in (late, jobs)
            for start in range(4)
        ]
        answers = [Counter(words) for words in clients.at_once(ends)]
        assert sum(answers[:4], Counter()) == {"taken": JOBS}
        assert sum(answers[4:], Counter()) == {"finished": JOBS}
        assert book.due() == {}
    assert min(busy) > 1, "one worker alone took all jobs, so they raced for none"
    figure(
        f"jobs: {2 * JOBS * ROUNDS} leases among {CLIENTS} workers, each to one of them; "
        f"{min(busy)} or more workers got some each time"
    )


@pytest.mark.parametrize("rival", [False, True], ids=["alone", "with a rival"])
def test_everything_at_once_to_one_order_leaves_its_books_in_order(
    clients: Clients, figure: Figure, rival: bool
) -> None:
    """Settled, released, reviewed, attached, refunded at one moment; and others want its units."""
    amount = 5 * PRICE
    acts: dict[str, Act[object]] = {
        "settle pi_1": lambda book: book.settle("o1", amount=amount),
        "settle pi_2": lambda book: book.settle("o1", "pi_2", amount=amount),
        "process": lambda book: book.process("o1"),
        "release": lambda book: book.release("o1"),
        "attach": lambda book: book.attach("o1", "cs_2"),
        "restock": lambda book: book.store.scripts.restock(
            "poster", delta=1, reason="found", who="ada", key="k"
        ),
        "review": lambda book: book.review("o1"),
        "refund": lambda book: book.refund("o1", amount=amount),
    }
    endings: Counter[str] = Counter()
    for seed, book in enumerate(rounds(clients)):
        chance = Random(seed)
        book.open("o1", {"poster": 5})
        most = len(acts) - seed % 3  # a third without refunds, a third without reviews either
        names = [name for name in list(acts)[:most] for _ in range(3)]
        names += [f"rival {n}" for n in range(8) if rival]
        chance.shuffle(names)
        rivals: dict[str, Act[object]] = {
            name: lambda book, name=name: book.hold(name, {"poster": 2}).word for name in names
        }
        answers = list(
            zip(names, clients.at_once([(rivals | acts)[n] for n in names]), strict=True)
        )

        applied = [w for act, w in answers if act[:6] == "settle" and w is not Settled.ALREADY]
        assert len(applied) == 2, "each payment counts once"
        bought = sum(word in {Settled.SOLD, Settled.RETAKEN} for word in applied)
        assert bought == 1 or (bought == 0 and Settled.OVERSOLD in applied)
        released = answers.count(("release", Settled.RELEASED))
        assert released <= 1
        assert (Settled.SOLD in applied) + released == 1, "what is sold is not given back"
        assert answers.count(("restock", Restocked.DONE)) == 1

        order = book.order("o1")
        held = 2 * sum(word is Held.HELD for _, word in answers)
        sold = 5 if order.units == "sold" else 0
        assert book.level("poster") == (6 - held - sold, held, sold, 0, 6)
        assert order.payments == {"pi_1": amount, "pi_2": amount}
        endings[order.state] += 1
    ended = ", ".join(f"{state} {times}" for state, times in sorted(endings.items()))
    figure(f"one order {'and rivals' if rival else 'alone'}: {ROUNDS} rounds; {ended}")
