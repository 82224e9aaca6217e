"""The process: how it starts, what outlives it, how it ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.harness import ROOT, clean_environment
from tests.standin.conftest import Standin, line, run_standin, talking_to


def run_to_its_end(tmp_path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "storefront.standin", *arguments],
        env={**clean_environment(tmp_path), **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_refuses_to_run_in_production(tmp_path: Path):
    ended = run_to_its_end(tmp_path, "--port", "0", SHOP_ENV="production")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "production" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "70000"),
        ("--port", "x"),
        ("--latency-ms", "-1"),
        ("--webhook-url", "nowhere"),
        ("--public-url", "ftp://x"),
        ("--webhook-secret", ""),
        ("--webhooks", "burnt"),
        ("--refunds", "never"),
        ("--link-limit", "never"),
        ("--nonsense",),
    ],
)
def test_a_wrong_option_ends_the_start_with_status_2(tmp_path: Path, arguments: tuple[str, ...]):
    ended = run_to_its_end(tmp_path, "--data", ":memory:", *arguments)
    assert ended.returncode == 2
    assert arguments[0].lstrip("-").split("-")[0] in ended.stderr


def test_a_wrong_option_of_the_environment_is_found_too(tmp_path: Path):
    ended = run_to_its_end(tmp_path, STANDIN_PORT="x")
    assert ended.returncode == 2
    assert "invalid int value" in ended.stderr


def test_a_port_in_use_ends_the_start_with_one_sentence(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_to_its_end(tmp_path, "--data", ":memory:", "--port", str(port))
    assert ended.returncode == 2
    assert f"127.0.0.1:{port}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_second_one_on_the_same_file_is_refused(tmp_path: Path):
    with run_standin(tmp_path) as standin:
        ended = run_to_its_end(tmp_path, "--port", "0", "--data", str(tmp_path / "standin.sqlite3"))
        assert ended.returncode == 2
        assert "another stand-in" in ended.stderr
        assert standin.open_session().status == "open"


def test_the_environment_can_say_everything(tmp_path: Path):
    command = [sys.executable, "-m", "storefront.standin"]
    with run_standin(tmp_path) as standin:
        process = standin.process
        process.stop()
        process.command = command
        process.env = {
            **process.env,
            "STANDIN_PORT": "0",
            "STANDIN_DATA": str(tmp_path / "other.sqlite3"),
            "STANDIN_PUBLIC_URL": "https://pay.example/",
            "STANDIN_REFUNDS": "pending",
            "STANDIN_WEBHOOKS": "doubled",
            "STANDIN_LINK_LIMIT": "overrun",
        }
        (tmp_path / "log.txt").unlink()
        process.start()
        with talking_to(process) as other:
            session = other.open_session()
            assert session.url == f"https://pay.example/c/pay/{session.id}"
            assert other.ask("webhooks")["mode"] == "doubled"
            intent = other.paid_intent()
            refund = other.client.v1.refunds.create({"payment_intent": intent.id})
            assert refund.status == "pending"
            link = other.client.v1.payment_links.create(
                {
                    "line_items": [line(2500)],  # type: ignore[list-item]
                    "restrictions": {"completed_sessions": {"limit": 1}},
                }
            )
            slug = link.url.rpartition("/")[2]
            visits = [
                other.http.get(f"{other.url}/l/{slug}", allow_redirects=False, timeout=30)
                for _ in range(2)
            ]
            pages = [visit.headers["Location"].rpartition("/")[2] for visit in visits]
            for page in pages:
                assert other.visit(other.session(page)).status_code == 200


def test_sigterm_ends_it_cleanly_even_while_a_connection_is_held(tmp_path: Path):
    with run_standin(tmp_path) as standin:
        standin.control(
            "faults",
            {"match": "GET /v1/balance", "kind": "timeout_before", "delay_ms": 100_000},
        )
        with pytest.raises(requests.Timeout):
            requests.get(
                f"{standin.url}/v1/balance",
                headers={"Authorization": "Bearer sk_test_x"},
                timeout=0.5,
            )
        assert standin.process.stop() == 0
        assert "Traceback" not in standin.process.log


def test_ctrl_c_ends_it_cleanly(tmp_path: Path):
    with run_standin(tmp_path) as standin:
        os.kill(standin.process.pid, signal.SIGINT)
        assert standin.process.process.wait(30) == 0
        assert "Traceback" not in standin.process.log


def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path):
    with run_standin(tmp_path) as standin:
        paid = standin.pay(standin.open_session())
        ids = [standin.open_session().id for _ in range(40)]
        refund = standin.client.v1.refunds.create({"payment_intent": str(paid.payment_intent)})
        standin.process.kill()
    with run_standin(tmp_path) as standin:
        listed = standin.client.v1.checkout.sessions.list({"limit": 100})
        assert [s.id for s in listed.data] == [*ids[::-1], paid.id]
        assert standin.session(paid.id).payment_status == "paid"
        assert standin.client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_the_clock_and_what_is_due_outlive_the_process(tmp_path: Path):
    with run_standin(tmp_path) as standin:
        session = standin.open_session(expires_at=standin.now() + 1860)
        delayed = standin.open_session()
        standin.visit(delayed, fate="delayed_succeed", delay_seconds="900")
        standin.control("clock", {"advance_seconds": 600})
        before = standin.now()
    with run_standin(tmp_path) as standin:
        assert standin.now() >= before
        assert standin.session(delayed.id).payment_status == "unpaid"
        standin.control("clock", {"advance_seconds": 1300})
        assert standin.session(session.id).status == "expired"
        assert standin.session(delayed.id).payment_status == "paid"


def test_it_needs_no_file(own_standin: Any, tmp_path: Path):
    with own_standin("--data", ":memory:") as standin:
        assert standin.open_session().status == "open"
        assert not list(tmp_path.glob("*.sqlite3"))


def test_it_says_that_it_is_well(standin: Standin):
    answer = standin.http.get(f"{standin.url}/healthz", timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_the_webhook_endpoint_of_the_command_line_is_an_endpoint_of_the_account(tmp_path: Path):
    with run_standin(tmp_path, "--webhook-url", "http://127.0.0.1:9/a") as standin:
        found = standin.client.v1.webhook_endpoints.list().data
        assert [(e.url, e.enabled_events) for e in found] == [("http://127.0.0.1:9/a", ["*"])]
        first = found[0].id
    with run_standin(tmp_path, "--webhook-url", "http://127.0.0.1:9/b") as standin:
        found = standin.client.v1.webhook_endpoints.list().data
        assert [(e.id, e.url) for e in found] == [(first, "http://127.0.0.1:9/b")]
    with run_standin(tmp_path) as standin:
        assert standin.client.v1.webhook_endpoints.list().data == []
