"""Connections to Redis that never send a command twice, and whether that Redis can be trusted."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.commands import core
from redis.exceptions import NoScriptError
from redis.retry import Retry


class CannotWrite(redis.ResponseError):
    """Redis answers, but takes no writes, because its disk is full or fails (``MISCONF``)."""


UNREACHABLE: tuple[type[Exception], ...] = (
    redis.ConnectionError,  # also: refused, loading its data, wrong password, pool empty
    redis.TimeoutError,
    redis.exceptions.ReadOnlyError,  # a replica after a failover
    redis.exceptions.OutOfMemoryError,
    CannotWrite,
    redis.exceptions.MasterDownError,
    redis.exceptions.ClusterDownError,
)
"""Redis cannot serve now. A command that raised one of these may or may not have been applied."""

CONNECTIONS = 200
"""Most connections of one process; more commands at once wait for their turn."""

SECONDS = 5
"""How long a command, a connection or a turn may take before it counts as unreachable."""


class Script(core.Script):
    """A script that a server which does not know it gets as a whole, and runs in the same step.

    redis-py loads it first and asks then: a server that is restarted between has forgotten it again.
    """

    def __call__(self, keys: Any = None, args: Any = None, client: Any = None) -> Any:
        """The script's answer; nothing was done before by a server that did not know it."""
        asked, given = client or self.registered_client, (*(keys or ()), *(args or ()))
        try:
            return asked.evalsha(self.sha, len(keys or ()), *given)
        except NoScriptError:
            return asked.eval(str(self.script), len(keys or ()), *given)


class Client(redis.Redis):
    """A client that names the one error for which redis-py has no name.

    https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
    """

    def register_script(self, script: Any) -> Script:
        """The script, to be called with its keys and arguments."""
        return Script(self, script)

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """The answer to one command, as ``redis.Redis`` reads it. Raises CannotWrite too."""
        try:
            return super().parse_response(  # type: ignore[no-untyped-call]
                connection, command_name, **options
            )
        except redis.ResponseError as error:
            if str(error).startswith("MISCONF"):
                raise CannotWrite(str(error)) from error
            raise


def connect(url: str) -> redis.Redis:
    """A client for short commands. It connects when first used, not before.

    redis-py 8 repeats a command whose reply was lost up to ten times unless told otherwise; a
    script that takes stock must never be repeated by something that knows nothing of orders.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=SECONDS,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    return Client.from_pool(pool)


def subscriber(url: str) -> redis.Redis:
    """A client for one subscription, which may stay silent for as long as it likes."""
    pool = redis.ConnectionPool.from_url(
        url,
        max_connections=2,
        socket_timeout=None,
        socket_connect_timeout=SECONDS,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis.from_pool(pool)


def durability(client: redis.Redis, strict: bool) -> list[str]:
    """Why this Redis may lose what it has acknowledged, one sentence each; none when it is safe.

    ``strict`` asks what a shop with real money needs: an append-only file, written out, and no
    eviction. Otherwise only what fails already counts. Raises UNREACHABLE.
    """
    facts = _facts(client)
    problems = []
    if facts.get("aof_last_write_status", "ok") != "ok":
        problems.append("Redis cannot write its append-only file: look at its disk and its log.")
    if not strict:
        return problems
    append_only = facts.get("appendonly")
    if append_only != "yes":
        problems.append(
            f"Redis has appendonly {append_only or 'unknown'}, so a crash loses sales: run "
            "`redis-cli CONFIG SET appendonly yes`, then write it into its configuration (in that "
            "order: a restart with only the file changed starts empty)."
        )
    if append_only == "yes" and facts.get("appendfsync") == "no":
        problems.append(
            "Redis has appendfsync no, so a power cut loses sales: run "
            "`redis-cli CONFIG SET appendfsync always` and write it into its configuration."
        )
    policy = facts.get("maxmemory-policy")
    if policy not in {"noeviction", None}:
        problems.append(
            f"Redis has maxmemory-policy {policy}, so a full memory throws holds away: run "
            "`redis-cli CONFIG SET maxmemory-policy noeviction` and write it into its "
            "configuration."
        )
    return problems


def remarks(client: redis.Redis) -> list[str]:
    """What could be safer still, one sentence each. Raises UNREACHABLE."""
    if _facts(client).get("appendfsync") != "everysec":
        return []
    text = (
        "Redis has appendfsync everysec: a power cut can lose the last second, which the shop then "
        "learns from Stripe again; `redis-cli CONFIG SET appendfsync always` loses none."
    )
    return [text]


def _facts(client: redis.Redis) -> dict[str, str]:
    """What the server says of itself; hosted servers often forbid CONFIG and still answer INFO."""
    facts: dict[str, str] = {}
    try:
        persistence: dict[str, Any] = client.info("persistence")
        memory: dict[str, Any] = client.info("memory")
        facts["appendonly"] = "yes" if persistence.get("aof_enabled") else "no"
        facts["aof_last_write_status"] = str(persistence.get("aof_last_write_status", "ok"))
        if memory.get("maxmemory_policy"):
            facts["maxmemory-policy"] = str(memory["maxmemory_policy"])
        for name in ("appendonly", "appendfsync", "maxmemory-policy"):
            facts.update({str(k): str(v) for k, v in client.config_get(name).items()})
    except UNREACHABLE:
        raise
    except redis.ResponseError:
        pass
    return facts
