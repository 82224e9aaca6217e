"""The controls, for clients on this machine alone."""

from typing import Any

import pytest

from storefront.standin.account import Account
from storefront.standin.clock import Clock
from storefront.standin.faults import Faults
from storefront.standin.pages import create_pages
from storefront.standin.request_log import RequestLog
from storefront.standin.state import State
from tests.standin.conftest import Standin


@pytest.mark.parametrize("client", ["192.0.2.7", "10.0.0.1", "2001:db8::1", ""])
def test_a_client_elsewhere_may_pay_but_not_control(client: str):
    state = State(":memory:")
    account = Account(state, Clock(), "http://standin.test")
    pages = create_pages(account, Faults(), RequestLog()).test_client()
    elsewhere = {"REMOTE_ADDR": client}
    for path in ("/", "/_standin/requests", "/_standin/clock"):
        assert pages.get(path, environ_base=elsewhere).status_code == 403
    clock = pages.post("/_standin/clock", json={"advance_seconds": 5}, environ_base=elsewhere)
    assert clock.status_code == 403
    assert account.clock.ahead == 0
    assert pages.get("/healthz", environ_base=elsewhere).status_code == 200
    assert pages.get("/c/pay/cs_test_none", environ_base=elsewhere).status_code == 404
    for near in ("127.0.0.1", "::1"):
        assert pages.get("/", environ_base={"REMOTE_ADDR": near}).status_code == 200
    state.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"advance_seconds": -1}),
        ("clock", {"advance_seconds": "60"}),
        ("clock", {"advance_seconds": True}),
        ("clock", {"advance_seconds": 1e12}),
        ("clock", {}),
        ("clock", {"ahead": 5}),
        ("latency", {"ms": -1}),
        ("latency", {"ms": 10**6}),
        ("webhooks", {"mode": "burnt"}),
        ("webhooks", {"enabled": "yes"}),
        ("webhooks", {"delay_seconds": -1}),
        ("refunds", {"start": "failed"}),
        ("tax", {"status": "none"}),
        ("links", {"limit": "none"}),
        ("links", {}),
        ("refunds/re_none", {"status": "pending"}),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(standin: Standin, path: str, body: Any):
    answer = standin.http.post(f"{standin.url}/_standin/{path}", json=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_an_unknown_object_is_a_404(standin: Standin):
    for path, body in (
        ("refunds/re_none", {"status": "failed"}),
        ("payment_intents/pi_none/dispute", None),
        ("events/evt_none/resend", None),
        ("nonsense", None),
    ):
        answer = standin.http.post(f"{standin.url}/_standin/{path}", json=body, timeout=30)
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_a_form_of_another_site_cannot_reach_the_controls(standin: Standin):
    answer = standin.http.post(
        f"{standin.url}/_standin/clock", data='{"advance_seconds": 5}', timeout=30
    )
    assert answer.status_code == 415


def test_the_clock_moves_everything_that_tells_stripes_time(own_standin: Any):
    with own_standin() as standin:
        before = standin.ask("clock")
        after = standin.control("clock", {"advance_seconds": 7200})
        assert after["ahead_seconds"] == before["ahead_seconds"] + 7200
        session = standin.open_session()
        assert session.created >= before["now"] + 7200
        assert abs(session.created - standin.now()) < 60


def test_webhook_settings_are_shown_and_kept(own_standin: Any):
    with own_standin() as standin:
        assert standin.ask("webhooks") == {"enabled": True, "mode": "normal", "delay_seconds": 0}
        standin.control("webhooks", {"mode": "delayed", "delay_seconds": 60})
        assert standin.ask("webhooks")["delay_seconds"] == 60
    with own_standin() as standin:
        assert standin.ask("webhooks")["mode"] == "delayed"
