"""The fuzz can fail: each of these mistakes, made on purpose, is found within so many inputs."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import request

from storefront.clients import stripe_api
from storefront.domain import fields
from storefront.services import events, links, refunds, settlement
from storefront.web import forms
from tests.fuzz.groups import chance_of
from tests.fuzz.mutations import Mutator
from tests.fuzz.runs import KINDS, quietly, throw
from tests.fuzz.stage import Stage, open_stage

BOUND = 1200
"""Inputs within which each mistake must be found."""

Break = Callable[[pytest.MonkeyPatch, Stage], object]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with quietly(), open_stage() as stage:
        yield stage


def takes(found: Any, name: str = "id") -> Any:
    """A reader that takes whatever comes."""
    return found.get(name) or ""


def note_first(patch: pytest.MonkeyPatch, stage: Stage) -> None:
    real_from_event = events.from_event

    def read(signed: Any) -> Any:
        stage.shop.store.orders.mark_seen(str(signed.get("id")))
        return real_from_event(signed)

    patch.setattr(events, "from_event", read)


def view(name: str, run: Callable[..., Any]) -> Break:
    return lambda patch, stage: patch.setitem(stage.app.view_functions, name, run)


def put(where: Any, name: str, what: Any) -> Break:
    return lambda patch, _stage: patch.setattr(where, name, what)


def forget_the_form(patch: pytest.MonkeyPatch, stage: Stage) -> None:
    patch.setitem(stage.app.config, "WTF_CSRF_ENABLED", False)


def believe_any_host(patch: pytest.MonkeyPatch, stage: Stage) -> None:
    first = stage.app.before_request_funcs[None]
    without = [check for check in first if check.__name__ != "check_host"]
    patch.setitem(stage.app.before_request_funcs, None, without)
    for page in ("shelf.index", "bag.show", "shelf.product", "admin.login.show"):
        patch.setitem(stage.app.view_functions, page, lambda **_: request.url)


MISTAKES: dict[str, tuple[str, Break]] = {
    "amounts are taken as they come": (
        "refunds",
        put(fields, "whole", lambda found, name: found.get(name) or 0),
    ),
    "texts are taken as they come": ("sessions", put(fields, "text", takes)),
    "words are taken as they come": ("payments", put(fields, "word", takes)),
    "ids are taken as they come": ("sessions", put(fields, "identity", takes)),
    "flags are taken for what is true": (
        "sessions",
        put(fields, "flag", lambda found, name: bool(found.get(name))),
    ),
    "addresses are taken as they come": ("sessions", put(fields, "line", takes)),
    "parts are taken as they come": (
        "payments",
        put(fields, "part", lambda found, name: found.get(name) or {}),
    ),
    "NaN is a number": ("payments", put(stripe_api, "_no_constant", float)),
    "any amount buys": ("payments", put(settlement, "mismatch", lambda *_: "")),
    "any refund is believed": ("refunds", put(refunds, "possible", lambda *_: True)),
    "events are noted before they are read": ("refunds", note_first),
    "signatures are not looked at": (
        "unsigned",
        lambda patch, stage: patch.setattr(stage.stripe, "event", lambda body, _: json.loads(body)),
    ),
    "numbers are read as Python does": ("forms", put(forms, "whole_number", lambda t, _: int(t))),
    "forms need no token": ("forms", forget_the_form),
    "an order's link is not checked": (
        "paths",
        put(links, "open_token", lambda _settings, text: text.partition("-")[0]),
    ),
    "a page fails": ("paths", view("shelf.index", lambda: 1 // 0)),
    "any host is believed": ("headers", believe_any_host),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    kind, make = MISTAKES[mistake]
    make(monkeypatch, stage)
    report = throw(KINDS[kind].make(stage), kind, range(BOUND), most=1)
    assert report.failures, f"not found in {BOUND} inputs: {mistake}"
    [(seed, what)] = report.failures
    print(f"{mistake}: found by input {report.inputs}\n{what[:2000]}")
    assert what.endswith(f"Again: python -m tests.fuzz --kind {kind} --seed {seed}")


def test_what_was_found_is_found_again_by_its_seed_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was thrown before it: the shop is put back as it was after each input."""
    attack = KINDS["refunds"].make(stage)
    monkeypatch.setattr(refunds, "possible", lambda *_: True)
    [(seed, what)] = throw(attack, "refunds", range(BOUND), most=1).failures
    [(again, same)] = throw(attack, "refunds", [seed]).failures
    assert (again, same) == (seed, what)
    monkeypatch.undo()
    assert throw(attack, "refunds", [seed]).failures == ()


def test_a_seed_is_one_body_on_every_stage(stage: Stage) -> None:
    with quietly(), open_stage() as other:
        for seed in range(200):
            bodies = {
                Mutator(chance_of(seed), one.told, one.heard).body() for one in (stage, other)
            }
            assert len(bodies) == 1


def test_the_stage_sees_every_change_and_undoes_it(stage: Stage) -> None:
    before = stage.picture
    stage.client.set("{popup}:something", "x")
    stage.client.hincrby("{popup}:stock:held", "zine", 1)
    assert not stage.untouched()
    assert set(stage.changes()) == {"something", "stock:held"}
    stage.restore()
    assert stage.untouched()
    assert stage.changes() == {}
    assert stage.picture == before
