"""Connections never send twice, and a Redis that may forget is told apart from one that may not."""

import shutil
import socket
import threading
from typing import Any

import pytest
import redis

from storefront.storage import connection
from tests.harness import RedisServer, free_port, start_redis, wait_until


def test_a_command_whose_reply_is_lost_is_sent_once():
    """A server that closes after each command counts what it was sent: one, and no repeat."""
    received = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(20)
                while data := caller.recv(65536):
                    if b"DECR" in data:
                        received.append(data)
                        break
                    # HELLO and CLIENT SETINFO come before the first command.
                    caller.sendall(b"+OK\r\n" * data.count(b"*"))

    thread = threading.Thread(target=serve)
    thread.start()
    with (
        connection.connect(f"redis://127.0.0.1:{listener.getsockname()[1]}?protocol=2") as client,
        pytest.raises(connection.UNREACHABLE),
    ):
        client.decr("stock")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    assert [b"DECR" in data for data in received] == [True]


def test_the_default_of_the_library_would_have_sent_it_again():
    """The negative control: why ``connect`` says how often to try."""
    with redis.Redis(port=free_port()) as client:
        assert client.get_retry().get_retries() > 0
    with connection.connect("redis://127.0.0.1:1") as client:
        assert client.get_retry().get_retries() == 0


def test_a_server_whose_disk_fails_is_unreachable_for_writes_and_nothing_is_half_written():
    """Its folder is gone, so that it can save nothing, and says MISCONF to whoever wants to write."""
    with start_redis() as server, connection.connect(server.url) as client:
        client.config_set("save", "3600 1")
        client.set("stock", 5)
        shutil.rmtree(server.folder)
        client.bgsave()
        wait_until(
            lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "a failed save"
        )
        with pytest.raises(connection.CannotWrite):
            client.decr("stock")
        with pytest.raises(connection.CannotWrite):
            client.eval("redis.call('GET', KEYS[1]) redis.call('DECR', KEYS[1])", 1, "stock")
        assert client.get("stock") == "5"
        assert issubclass(connection.CannotWrite, connection.UNREACHABLE)


def test_a_server_that_is_not_there_is_unreachable_at_once():
    with (
        connection.connect(f"redis://127.0.0.1:{free_port()}") as client,
        pytest.raises(connection.UNREACHABLE),
    ):
        client.ping()


def test_a_wrong_password_is_unreachable(redis_server: RedisServer):
    with (
        connection.connect(redis_server.url.replace("//", "//nobody:wrong@")) as client,
        pytest.raises(connection.UNREACHABLE),
    ):
        client.ping()


def test_more_commands_at_once_than_connections_wait_their_turn(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "CONNECTIONS", 2)
    with connection.connect(redis_server.url) as client:
        done = []
        threads = [threading.Thread(target=lambda: done.append(client.ping())) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done == [True] * 20


class Forgetful(connection.Client):
    """Its server is restarted, and forgets every script, before each that it is asked by its hash."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if args[0] == "EVALSHA":
            super().execute_command("SCRIPT FLUSH")
        return super().execute_command(*args, **options)


def test_a_script_is_run_by_a_server_that_forgets_it_again_and_again(redis_server: RedisServer):
    text = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
    with Forgetful.from_url(redis_server.url) as client:
        script = client.register_script(text)
        assert [script(["stock"], [5]), script(["stock"], [5])] == [5, 10]
        with pytest.raises(redis.exceptions.NoScriptError):
            redis.commands.core.Script(client, text)(["stock"], [5])
        assert client.get("stock") == b"10"


def test_text_comes_back_as_text(redis_server: RedisServer):
    with connection.connect(redis_server.url) as client:
        client.set("name", "Größe")
        assert client.get("name") == "Größe"


def test_a_subscription_may_stay_silent_for_longer_than_a_command(redis_server: RedisServer):
    with connection.subscriber(redis_server.url) as client:
        assert client.connection_pool.connection_kwargs["socket_timeout"] is None
        with client.pubsub() as messages:
            messages.subscribe("live")
            assert messages.get_message(timeout=20)["type"] == "subscribe"


def test_connections_closed_by_a_restart_are_replaced_without_an_error():
    with start_redis() as server, connection.connect(server.url) as client:
        client.set("kept", "1")
        server.restart()
        assert client.get("kept") == "1"


def test_an_append_only_server_without_eviction_is_durable(redis_server: RedisServer):
    with connection.connect(redis_server.url) as client:
        assert connection.durability(client, strict=True) == []
        assert connection.remarks(client) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"appendonly": "no"}, "appendonly no"),
        ({"appendfsync": "no"}, "appendfsync no"),
        ({"maxmemory_policy": "allkeys-lru"}, "maxmemory-policy allkeys-lru"),
    ],
)
def test_each_way_to_forget_is_named_with_its_remedy(options: dict[str, str], named: str):
    with start_redis(**options) as server, connection.connect(server.url) as client:
        (problem,) = connection.durability(client, strict=True)
        assert named in problem
        assert "redis-cli CONFIG SET" in problem
        assert connection.durability(client, strict=False) == []


def test_a_file_written_each_second_is_accepted_with_a_remark():
    with start_redis(appendfsync="everysec") as server, connection.connect(server.url) as client:
        assert connection.durability(client, strict=True) == []
        (remark,) = connection.remarks(client)
        assert "everysec" in remark


def test_a_hosted_server_that_forbids_config_is_judged_by_info():
    with start_redis(appendonly="no") as server, server.client() as admin:
        admin.execute_command("ACL SETUSER guest on >word ~* &* +@all -config")
        with connection.connect(server.url.replace("//", "//guest:word@")) as client:
            (problem,) = connection.durability(client, strict=True)
            assert "appendonly no" in problem


def test_durability_of_a_server_that_is_gone_is_unreachable():
    with (
        connection.connect(f"redis://127.0.0.1:{free_port()}") as client,
        pytest.raises(connection.UNREACHABLE),
    ):
        connection.durability(client, strict=True)
