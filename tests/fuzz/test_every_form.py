"""Every form of every page, changed on the way: no failure, and nothing done that it may not do."""

from collections.abc import Callable, Iterator

import pytest
from flask import abort
from werkzeug.routing import Rule

from storefront.domain.orders import Form, State
from storefront.services import account, choosing, handing, orders
from storefront.web import forms, visitors
from tests.fuzz.every_form import EveryForm
from tests.fuzz.runs import PATIENCE_SECONDS, prove, quietly, throw
from tests.fuzz.shown import posts
from tests.fuzz.stage import open_stage

BOUND = 1200
"""Inputs within which each mistake must be found."""
ONLY_READ = {
    "admin.privacy.export",
    "admin.privacy.look",
    "admin.refunds.look",
    "admin.restock_list.look",
    "admin.stall.add_up",
}
"""Forms that are asked what would be; each other one does something, in the books or in a cookie."""


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_no_form_of_any_page_fails_or_does_what_it_may_not() -> None:
    outcomes = prove("every-form").outcomes
    with quietly(), open_stage() as stage:
        every = posts(stage.app)
    for endpoint in sorted(every):
        answers = [what for what in outcomes if what.startswith(f"{endpoint} as it stands ")]
        assert answers, f"never sent as it stands: {endpoint}"
        assert outcomes[f"{endpoint} 400"], f"never refused: {endpoint}"
        assert bool(outcomes[f"{endpoint} done"]) == (endpoint not in ONLY_READ), endpoint


@pytest.fixture(scope="module")
def attack() -> Iterator[EveryForm]:
    with quietly(), open_stage() as stage:
        yield EveryForm(stage)


def test_every_address_that_takes_a_form_is_thrown_at(attack: EveryForm) -> None:
    """A new one needs a page that the walk comes through, or a line in ``unshown``."""
    app = attack.stage.app
    assert set(attack.kinds) == posts(app)
    app.url_map.add(Rule("/new", endpoint="new.send", methods=["POST"]))
    assert posts(app) - set(attack.kinds) == {"new.send"}


def test_what_was_found_is_found_again_by_its_seed_on_another_stage(attack: EveryForm) -> None:
    """The walk finds the same forms in the same order, with the same in them."""
    with quietly(), open_stage() as stage:
        assert EveryForm(stage).forms == attack.forms


Break = Callable[[pytest.MonkeyPatch, EveryForm], object]


def let_anyone_in(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    before = attack.stage.app.before_request_funcs
    rest = [one for one in before["admin"] if one.__name__ != "require_login"]
    assert len(rest) < len(before["admin"])
    patch.setitem(before, "admin", rest)


def refuse_too_late(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    def note(order_id: str) -> None:
        shop = attack.stage.shop
        orders.note(shop, attack.stage.order(order_id), "x", key="k" * 8, who="x")
        abort(409)

    patch.setitem(attack.stage.app.view_functions, "admin.orders.note", note)


def note_elsewhere(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    real = orders.note
    other = attack.stage.order(min(attack.stage.tokens.values()))
    patch.setattr(orders, "note", lambda shop, _order, *a, **o: real(shop, other, *a, **o))


def restock_beside(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    def ask() -> str:
        attack.stage.shop.store.scripts.restock("zine", delta=1, reason="x", who="x", key="k" * 8)
        return "done"

    patch.setitem(attack.stage.app.view_functions, "orders.ask", ask)


def send_another(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    """Whichever order is marked as sent, it is one that waits to be."""
    real = handing.mark_sent
    parcels = [o.id for o in attack.stage.shop.store.orders.walk(State.PAID) if o.way == "delivery"]
    patch.setattr(handing, "mark_sent", lambda shop, _order, **o: real(shop, parcels[0], **o))


def extend_another(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    """Whoever needs more time, it is given to the one hold that has room for it."""
    real, walk = orders.extend, attack.stage.shop.store.orders.walk
    roomy = [one for one in walk(State.OPEN) if one.form is Form.ELEMENTS and one.way == "pickup"]
    patch.setattr(orders, "extend", lambda shop, _order: real(shop, roomy[0]))


def send_for_nothing(patch: pytest.MonkeyPatch, _: EveryForm) -> None:
    """Whatever sending costs, Stripe is asked for the goods' price."""
    real = choosing.Charged
    patch.setattr(choosing, "Charged", lambda total, shipping, **o: real(total - shipping, 0, **o))


def begin_and_refuse(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    def set_up() -> None:
        account.begin_codes(attack.stage.shop)
        abort(403)

    patch.setitem(attack.stage.app.view_functions, "admin.account.set_up", set_up)


def empty_the_bag(patch: pytest.MonkeyPatch, attack: EveryForm) -> None:
    """Whoever asks for their orders has an empty bag afterwards."""

    def ask() -> str:
        visitors.keep_bag({})
        return "done"

    patch.setitem(attack.stage.app.view_functions, "orders.ask", ask)


MISTAKES: dict[str, Break] = {
    "anyone may do what the operator does": let_anyone_in,
    "forms need no token": lambda patch, attack: patch.setitem(
        attack.stage.app.config, "WTF_CSRF_ENABLED", False
    ),
    "a form is refused after it was carried out": refuse_too_late,
    "a note is kept with another order": note_elsewhere,
    "who asks for their orders adds a zine": restock_beside,
    "one-time tokens are taken as they come": lambda patch, _: patch.setattr(
        forms, "one_time", lambda sent: sent
    ),
    "changes are read as Python reads numbers": lambda patch, _: patch.setattr(
        forms, "signed_number", lambda text, _what: int(text)
    ),
    "another order is marked as sent": send_another,
    "another hold is extended": extend_another,
    "parcels are sent for nothing": send_for_nothing,
    "a set-up begins that is refused": begin_and_refuse,
    "any password opens": lambda patch, _: patch.setattr(account, "opens", lambda *_: True),
    "who asks for their orders loses the bag": empty_the_bag,
    "a form fails": lambda patch, attack: patch.setitem(
        attack.stage.app.view_functions, "admin.waitlist.stop", lambda: 1 // 0
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(
    attack: EveryForm, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    MISTAKES[mistake](monkeypatch, attack)
    report = throw(attack, "every-form", range(BOUND), most=1)
    assert report.failures, f"not found in {BOUND} inputs: {mistake}"
    print(f"{mistake}: found by input {report.inputs}\n{report.failures[0][1][:2000]}")
