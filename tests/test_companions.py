"""`make run` brings all that a shop needs, keeps it running, and ends it; whatever was killed."""

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from werkzeug.security import check_password_hash

from storefront import companions, instance
from storefront.storage import connection, embedded
from storefront.tether import CompanionsFailed, Tether
from tests.harness import Running, clean_environment, free_port, start_redis, started, wait_until

PRODUCTION = {
    "SHOP_ENV": "production",
    "SECRET_KEY": "k" * 40,
    "PUBLIC_URL": "https://shop.example.org",
    "STRIPE_SECRET_KEY": "sk_live_abcdef",
    "STRIPE_WEBHOOK_SECRET": "whsec_one",
    "ADMIN_PASSWORD_HASH": "scrypt:32768:8:1$salt$00ff",
}


def gunicorn(folder: Path, **environ: str) -> Running:
    """The shop as ``make run`` starts it, with an instance folder and ports of its own."""
    port = free_port()
    return Running(
        [sys.executable, "-m", "gunicorn"],
        {
            **clean_environment(folder),
            "PORT": str(port),
            "STANDIN_PORT": str(free_port()),
            "WEB_CONCURRENCY": "1",
            **environ,
        },
        folder,
        f"http://localhost:{port}",
    )


@contextmanager
def open_shop(folder: Path, **environ: str) -> Iterator[Running]:
    """The running shop; whatever a killed one left behind is ended."""
    shop = gunicorn(folder, **environ)
    try:
        with started(shop):
            shop.wait_for(lambda: shop.answers("/healthz"), "the shop serves")
            yield shop
    finally:
        wait_until(lambda: not companions_alive(folder), "the companions have ended")
        companions.end_leftovers(folder)
        with embedded.ensure_running(folder):
            pass  # its last use


def companions_alive(folder: Path) -> bool:
    """Whether the companions' process holds this folder."""
    return not embedded._free(folder / "companions.lock")


def pids(folder: Path) -> list[int]:
    """Stand-in and worker, in this order."""
    return [pid for pid, _ in json.loads(instance.read(folder, companions.RECORD) or "[]")]


def redis_pid(folder: Path) -> int:
    with connection.connect(embedded.url(folder)) as client:
        try:
            return int(client.info("server")["process_id"])
        except connection.UNREACHABLE:
            return 0


def children(pid: int) -> list[int]:
    """The children of a process, by the system's word."""
    return [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if _parent(path) == pid
    ]  # fmt: skip


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def gone(pid: int) -> bool:
    return companions.birth(pid) == ""


def test_a_first_start_needs_nothing_and_shows_goods(tmp_path: Path):
    with open_shop(tmp_path) as shop:
        page = requests.get(shop.url, timeout=20)
        assert page.ok
        assert "Opening night poster" in page.text
        assert requests.get(f"{shop.url}/readyz", timeout=20).ok
        assert shop.url in shop.log
        password = re.search(r"password: (\S+)", shop.log)[1]
        assert check_password_hash(instance.read(tmp_path, instance.ADMIN_PASSWORD_HASH), password)
        assert "no real money moves" in shop.log
        assert requests.get(re.search(r"Stripe +(\S+)", shop.log)[1], timeout=20).ok
        standin, worker = pids(tmp_path)
        server = redis_pid(tmp_path)
        assert shop.stop() == 0
        assert [pid for pid in (standin, worker, server) if not gone(pid)] == []
        assert "Traceback" not in shop.log
        assert pids(tmp_path) == []


def test_ctrl_c_ends_all_in_order_without_a_word_of_trouble(tmp_path: Path):
    """The terminal sends SIGINT to gunicorn and its web processes at once."""
    with open_shop(tmp_path) as shop:
        requests.get(shop.url, timeout=20)
        ours = [*pids(tmp_path), redis_pid(tmp_path)]
        foreground = [p for p in children(shop.pid) if os.getpgid(p) == os.getpgid(shop.pid)]
        assert foreground, "the web process"
        for pid in (shop.pid, *foreground):
            os.kill(pid, signal.SIGINT)
        assert shop.process.wait(60) == 0
        assert [pid for pid in ours if not gone(pid)] == []
        assert "Traceback" not in shop.log
        assert "worker stopped" in shop.log


def test_whatever_dies_is_started_again(tmp_path: Path):
    with open_shop(tmp_path) as shop:
        standin, worker = pids(tmp_path)
        os.kill(worker, signal.SIGKILL)
        os.kill(standin, signal.SIGKILL)
        wait_until(lambda: not set(pids(tmp_path)) & {standin, worker}, "both run again")
        server = redis_pid(tmp_path)
        os.kill(server, signal.SIGKILL)
        wait_until(lambda: redis_pid(tmp_path) not in {0, server}, "Redis runs again")
        wait_until(
            lambda: "Opening night poster" in requests.get(shop.url, timeout=20).text, "goods"
        )


def test_the_companions_process_itself_is_started_again(tmp_path: Path):
    with open_shop(tmp_path) as shop:
        before = pids(tmp_path)
        os.kill(os.getsid(before[0]), signal.SIGKILL)
        shop.wait_for(
            lambda: set(pids(tmp_path)).isdisjoint({*before, 0}) and pids(tmp_path), "again"
        )
        assert all(gone(pid) for pid in before), "what it had started was ended, not doubled"
        assert shop.stop() == 0


def test_a_killed_gunicorn_takes_its_companions_along(tmp_path: Path):
    with open_shop(tmp_path) as shop:
        ours = [*pids(tmp_path), redis_pid(tmp_path)]
        shop.kill()
        wait_until(lambda: all(gone(pid) for pid in ours), "all have ended")


def test_after_a_kill_of_everything_the_next_start_has_all_that_was_there(tmp_path: Path):
    with open_shop(tmp_path) as shop:
        with connection.connect(embedded.url(tmp_path)) as client:
            client.set("written", "before the crash")
        victims = pids(tmp_path)
        companion = os.getsid(victims[0])
        for pid in (companion, shop.pid, *children(shop.pid), redis_pid(tmp_path)):
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)
        shop.process.wait()
        assert not gone(victims[1]), "the worker is left over"
        with open_shop(tmp_path) as again:
            assert again.log.count("password:") == 1, "it is shown once"
            assert all(gone(pid) for pid in victims), "left-overs were ended"
            with connection.connect(embedded.url(tmp_path)) as client:
                assert client.get("written") == "before the crash"


def test_with_a_redis_and_a_stripe_of_ones_own_nothing_else_is_started(tmp_path: Path):
    with start_redis() as server:
        environ = {
            "REDIS_URL": server.url,
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "SHOP_WORKER": "off",
        }
        with open_shop(tmp_path, **environ) as shop:
            assert not (tmp_path / "redis").exists()
            assert not (tmp_path / companions.RECORD).exists()
            assert shop.stop() == 0


def ends_with(shop: Running) -> str:
    """What a shop says that does not start."""
    with started(shop):
        wait_until(lambda: not shop.alive, "it has ended")
        assert shop.process.returncode == 1
        return shop.log


def test_a_wrong_setting_ends_the_start_with_its_sentence(tmp_path: Path):
    (sentence,) = ends_with(gunicorn(tmp_path, HOLD_SECONDS="soon")).splitlines()
    assert "HOLD_SECONDS is 'soon'" in sentence


def test_production_refuses_a_redis_that_may_forget(tmp_path: Path):
    with start_redis(appendonly="no") as server:
        log = ends_with(gunicorn(tmp_path, **PRODUCTION, REDIS_URL=server.url))
    assert "appendonly no" in log
    assert "Traceback" not in log


def test_production_refuses_a_redis_that_is_not_there(tmp_path: Path):
    url = f"redis://127.0.0.1:{free_port()}"
    log = ends_with(gunicorn(tmp_path, **PRODUCTION, REDIS_URL=url))
    assert "Redis cannot be reached" in log


def test_production_on_a_durable_redis_starts_alone(tmp_path: Path):
    with start_redis() as server, open_shop(tmp_path, **PRODUCTION, REDIS_URL=server.url) as shop:
        assert shop.answers("/readyz")
        assert not (tmp_path / companions.RECORD).exists()
        assert "password:" not in shop.log


def test_a_taken_port_of_the_stand_in_ends_the_start_with_a_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        log = ends_with(gunicorn(tmp_path, STANDIN_PORT=port))
    assert "Set STANDIN_PORT" in log
    assert not redis_pid(tmp_path), "Redis was ended again"


def test_a_second_shop_in_the_same_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(companions, "STOP_SECONDS", -5)
    with (
        companions.alone(tmp_path),
        pytest.raises(companions.CannotStart, match="runs already"),
        companions.alone(tmp_path),
    ):
        pass
    with companions.alone(tmp_path):
        pass


def test_a_pid_that_was_given_to_another_process_is_not_ended(tmp_path: Path):
    instance.replace(tmp_path, companions.RECORD, json.dumps([[os.getpid(), "another birth"]]))
    companions.end_leftovers(tmp_path)
    assert companions.birth(os.getpid()) not in {"", "another birth"}


@pytest.mark.parametrize("text", ["", "no json", "[1]", "{}", '[["a", "b"]]'])
def test_a_damaged_record_ends_nothing(text: str, tmp_path: Path):
    (tmp_path / companions.RECORD).write_text(text)
    companions.end_leftovers(tmp_path)


def test_a_tether_says_why_its_companions_did_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in clean_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOLD_SECONDS", "soon")
    with pytest.raises(CompanionsFailed, match="HOLD_SECONDS is 'soon'"):
        Tether().start()
