"""The server that comes along keeps what it acknowledged, serves one folder, and leaves with its last use."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storefront.storage import connection, embedded
from tests.harness import ROOT, wait_until

PROGRAMS = embedded.programs()
FLEETING = PROGRAMS[-1]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Path]:
    """An instance folder; a server that a failed test left running there is ended."""
    yield tmp_path
    for pid in (find_server(tmp_path),):
        if pid:
            os.kill(pid, signal.SIGKILL)


def find_server(instance: Path) -> int:
    """The pid of the server that listens in this folder, or 0."""
    try:
        with connection.connect(embedded.url(instance)) as client:
            return int(client.info("server")["process_id"])
    except connection.UNREACHABLE:
        return 0


@pytest.mark.parametrize("program", PROGRAMS[:-1], ids=lambda p: Path(p[0]).parent.name)
def test_what_was_acknowledged_survives_a_kill_of_the_server(
    instance: Path, monkeypatch: pytest.MonkeyPatch, program: list[str]
):
    monkeypatch.setattr(embedded, "programs", lambda: [program])
    first = embedded.ensure_running(instance)
    with connection.connect(first.url) as client:
        for number in range(200):
            client.rpush("sold", number)
    os.kill(find_server(instance), signal.SIGKILL)
    wait_until(lambda: not find_server(instance), "the server is gone")
    with embedded.ensure_running(instance) as again, connection.connect(again.url) as client:
        assert again.started
        assert client.llen("sold") == 200
    first.stop()


def test_it_is_durable_and_never_evicts(instance: Path):
    with embedded.ensure_running(instance) as server, connection.connect(server.url) as client:
        assert connection.durability(client, strict=True) == []
        assert connection.remarks(client) == []
        assert server.banner == ""


def test_the_second_user_adopts_it_and_the_last_one_ends_it(instance: Path):
    first = embedded.ensure_running(instance)
    second = embedded.ensure_running(instance)
    assert (first.started, second.started) == (True, False)
    first.stop()
    with connection.connect(second.url) as client:
        assert client.ping()
    second.stop()
    assert find_server(instance) == 0


def test_stopping_twice_is_stopping_once(instance: Path):
    first = embedded.ensure_running(instance)
    second = embedded.ensure_running(instance)
    first.stop()
    first.stop()
    assert find_server(instance) > 0
    second.stop()


def test_starters_at_once_share_one_server(instance: Path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(embedded.ensure_running(instance)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(server.started for server in found) == [False] * 7 + [True]
    for server in found:
        server.stop()
    assert find_server(instance) == 0


def test_it_outlives_a_killed_user_and_the_next_one_adopts_it(instance: Path):
    script = (
        "import sys, time; from pathlib import Path; from storefront.storage import embedded\n"
        "server = embedded.ensure_running(Path(sys.argv[1])); print('up', flush=True)\n"
        "time.sleep(600)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", script, str(instance)], cwd=ROOT, stdout=subprocess.PIPE
    )
    with user:
        assert user.stdout.readline() == b"up\n"
        user.kill()
    with embedded.ensure_running(instance) as server:
        assert not server.started
    assert find_server(instance) == 0, "a killed process does not count as a user"


def test_data_moves_between_redis_and_valkey(instance: Path, monkeypatch: pytest.MonkeyPatch):
    """Installing redis-server after a first try with the packaged Valkey loses nothing."""
    programs = PROGRAMS[:-1]
    for number, program in enumerate([*programs, *reversed(programs)], start=1):
        monkeypatch.setattr(embedded, "programs", lambda chosen=program: [chosen])
        with embedded.ensure_running(instance) as server, connection.connect(server.url) as client:
            assert client.incr("starts") == number
            client.bgrewriteaof()
            wait_until(
                lambda c=client: not c.info("persistence")["aof_rewrite_in_progress"], "rewritten"
            )


def test_a_long_path_gets_its_socket_in_a_short_private_folder(tmp_path: Path):
    deep = tmp_path / ("long" * 25) / ("path" * 25)
    with embedded.ensure_running(deep) as server:
        path = Path(server.url.removeprefix("unix://"))
        assert len(os.fsencode(path)) <= embedded.LONGEST_SOCKET
        assert path.parent.stat().st_mode & 0o777 == 0o700
        with connection.connect(server.url) as client:
            assert client.config_get("dir")["dir"] == str(deep / "redis")
    path.parent.rmdir()


def test_two_folders_have_two_servers(tmp_path: Path):
    with (
        embedded.ensure_running(tmp_path / "a") as a,
        embedded.ensure_running(tmp_path / "b") as b,
        connection.connect(a.url) as one,
        connection.connect(b.url) as two,
    ):
        one.set("name", "a")
        assert two.get("name") is None


def test_a_server_of_another_kind_at_its_address_is_not_adopted(instance: Path):
    """Debian's default keeps no append-only file: holding stock there would promise too much."""
    (instance / "elsewhere").mkdir()
    socket = embedded.url(instance).removeprefix("unix://")
    options = ["--port", "0", "--unixsocket", socket, "--dir", str(instance / "elsewhere")]
    with subprocess.Popen([*PROGRAMS[0], *options], stdout=subprocess.DEVNULL) as foreign:
        wait_until(lambda: find_server(instance), "the foreign server answers")
        with pytest.raises(embedded.EmbeddedFailed, match="not the embedded one"):
            embedded.ensure_running(instance)
        assert foreign.poll() is None, "it is left alone"
        foreign.terminate()


def test_a_server_that_lost_its_socket_still_keeps_others_off_its_data(
    instance: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two servers on one append-only file would destroy it."""
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.1)
    server = embedded.ensure_running(instance)
    pid = find_server(instance)
    Path(server.url.removeprefix("unix://")).unlink()
    with pytest.raises(embedded.EmbeddedFailed, match="still holds"):
        embedded.ensure_running(instance)
    os.kill(pid, signal.SIGKILL)
    monkeypatch.undo()
    with embedded.ensure_running(instance) as again:
        assert again.started
    server.stop()


def test_a_server_that_cannot_start_says_why(instance: Path, monkeypatch: pytest.MonkeyPatch):
    script = "import sys; sys.exit('disk is full')"
    monkeypatch.setattr(embedded, "programs", lambda: [[sys.executable, "-c", script]])
    with pytest.raises(embedded.EmbeddedFailed, match="disk is full"):
        embedded.ensure_running(instance)


def test_without_any_server_the_last_resort_says_that_nothing_lasts(
    instance: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(embedded, "programs", lambda: [FLEETING])
    with embedded.ensure_running(instance) as server:
        assert "lost when the shop stops" in server.banner
        with connection.connect(server.url) as one, connection.connect(server.url) as two:
            one.set("shared", "1")
            assert two.get("shared") == "1"
            script = "return redis.call('INCRBY', KEYS[1], 2)"
            assert two.eval(script, 1, "shared") == 3
        with embedded.ensure_running(instance) as second:
            assert "lost" in second.banner
    with pytest.raises(connection.UNREACHABLE), connection.connect(server.url) as gone:
        gone.ping()
