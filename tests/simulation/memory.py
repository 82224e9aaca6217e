"""As much of Redis as the shop uses, in this process, on a clock that stands until it is moved.

It runs the shop's own Lua in a real Lua, some ten times as fast as fakeredis, which makes hundreds of
thousands of seeds affordable. ``test_memory.py`` holds it to fakeredis, answer by answer.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from lupa import lua51

from tests.simulation.hash import Hash
from tests.simulation.sorted_set import SortedSet
from tests.simulation.values import (
    above,
    below,
    flat,
    parsed,
    plain,
    span,
    text,
    told,
    without_null,
)

Answer = Any
Run = Callable[[], Answer]


COMPACT = json.JSONEncoder(separators=(",", ":"))
MOST_LOST = 60
"""Changes that a restart can lose."""


@cache
def digest(script: str) -> str:
    """The name that Redis knows a script by."""
    return hashlib.sha1(script.encode()).hexdigest()


class Script:
    """A registered script, called as redis-py's are."""

    def __init__(self, client: "Memory", text: str) -> None:
        self.script = text
        self.sha = digest(text)
        self.name = self.sha[:8]
        self._client = client

    def __call__(self, keys: Sequence[str], args: Sequence[Any]) -> Answer:
        return self._client.run_script(self, keys, args)


class Pipeline:
    """Commands that are read at one moment."""

    def __init__(self, client: "Memory") -> None:
        self._client = client
        self._queue: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., "Pipeline"]:
        def queue(*args: Any, **options: Any) -> Pipeline:
            self._queue.append((name, args, options))
            return self

        return queue

    def execute(self) -> list[Answer]:
        queue, self._queue = self._queue, []
        return self._client.pipelined(queue)


Kept = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was kept at some time."""

    at: int
    """Milliseconds since 1970."""
    data: Kept
    ends: dict[str, int]
    last: tuple[int, int]


class Memory:
    """One server and its client. Replies are text, as with ``decode_responses``.

    A command, a pipeline or a script is one change: a restart loses it as a whole or keeps it.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        """``now`` answers milliseconds since 1970."""
        self._now = now
        self.data: dict[str, Any] = {}
        self.changes = 0
        """Grows with every write."""
        self.broken: list[str] = []
        """Every script that failed, which none may."""
        self.published: list[tuple[str, str]] = []
        """Every message, by its channel."""
        self.line: Callable[[str, Run], Answer] = lambda _name, run: run()
        """Every command passes through it."""
        self.remembers = False
        """Whether what was kept before each change is remembered, for a restart that loses some."""
        self._earlier: deque[Earlier] = deque(maxlen=MOST_LOST)
        self._remembered = -1
        self._starts = 0
        self._ends: dict[str, int] = {}
        self._last = (0, 0)
        self._lua = lua51.LuaRuntime(unpack_returned_tuples=True)
        self._compiled: dict[str, Any] = {}
        self._null = object()
        self._lua.execute("redis, cjson = {}, {}")
        self._lua.globals().redis["call"] = self._call
        self._lua.globals().redis["pcall"] = self._call
        self._lua.globals().cjson["encode"] = self._encode
        self._lua.globals().cjson["decode"] = self._decode
        self._set_arguments = self._lua.eval("function(k, a) KEYS, ARGV = k, a end")
        self._commands: dict[str, Callable[..., Answer]] = {
            name.removeprefix("_do_").upper(): getattr(self, name)
            for name in dir(self)
            if name.startswith("_do_")
        }

    def flushall(self) -> None:
        """Begin anew; the scripts stay."""
        self.data.clear()
        self._ends.clear()
        self.broken.clear()
        self.published.clear()
        self._last = (0, 0)
        self.remembers = False
        self._earlier.clear()
        self._remembered = -1
        self._starts = 0

    @property
    def run_id(self) -> str:
        """Another one since each restart; none at first, as fakeredis has none to tell."""
        if not self._starts:
            return ""
        return hashlib.sha1(f"start {self._starts}".encode()).hexdigest()

    def restart(self, lost: int = 0) -> int:
        """End and begin again, without the last ``lost`` changes; answers how many were lost.

        Only those that ``remembers`` has seen can be lost.
        """
        self._starts += 1
        gone = [self._earlier.pop() for _ in range(min(lost, len(self._earlier)))]
        if gone:
            self.data = gone[-1].data
            self._ends, self._last = gone[-1].ends, gone[-1].last
            self.changes += 1
        self._earlier.clear()
        return len(gone)

    def empty(self) -> None:
        """Lose everything, as FLUSHALL does."""
        self.data, self._ends, self._last = {}, {}, (0, 0)
        self.changes += 1
        self._earlier.clear()

    def lately(self, ms: int) -> int:
        """How many changes there were in the last so many milliseconds."""
        since = self._now() - ms
        return sum(earlier.at >= since for earlier in self._earlier)

    def _remember(self) -> None:
        if self.remembers and self._remembered != self.changes:
            self._remembered = self.changes
            data = {k: v if isinstance(v, str) else v.copy() for k, v in self.data.items()}
            self._earlier.append(Earlier(self._now(), data, dict(self._ends), self._last))

    # What the shop's readers call.

    def register_script(self, text: str) -> Script:
        return Script(self, text)

    def script_load(self, text: str) -> str:
        return digest(text)

    def run_script(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Answer:
        def run() -> Answer:
            self._remember()
            return self._run(script, keys, args)

        return self.line(script.name, run)

    def pipeline(self, transaction: bool = True) -> Pipeline:
        return Pipeline(self)

    def pipelined(self, queue: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> list[Answer]:
        def run() -> list[Answer]:
            self._remember()
            return [getattr(self, f"raw_{name}")(*args, **options) for name, args, options in queue]

        return self.line("+".join(dict.fromkeys(name for name, _, _ in queue)), run)

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        if name.startswith(("raw_", "_")):
            raise AttributeError(name)
        run = getattr(self, f"raw_{name}")

        def command(*args: Any, **options: Any) -> Answer:
            def go() -> Answer:
                self._remember()
                return run(*args, **options)

            return self.line(name, go)

        self.__dict__[name] = command
        return command

    def raw_ping(self) -> bool:
        return True

    def raw_time(self) -> tuple[int, int]:
        now = self._now()
        return now // 1000, now % 1000 * 1000

    def raw_get(self, key: str) -> str | None:
        found: str | None = self._live(key)
        return found

    def raw_set(
        self,
        key: str,
        value: str,
        ex: int | None = None,
        px: int | None = None,
        nx: bool = False,
    ) -> bool | None:
        if nx and self._live(key) is not None:
            return None
        self._write(key, str(value))
        self._ends.pop(key, None)
        if ex is not None:
            self._ends[key] = self._now() + ex * 1000
        if px is not None:
            self._ends[key] = self._now() + px
        return True

    def raw_pexpire(self, key: str, ms: int) -> int:
        return self._do_pexpireat(key, self._now() + ms)

    def raw_delete(self, *keys: str) -> int:
        return self._do_del(*keys)

    def raw_exists(self, key: str) -> int:
        return int(self._live(key) is not None)

    def raw_hget(self, key: str, field: str) -> str | None:
        found: str | None = self._hash(key).get(field)
        return found

    def raw_hmget(self, key: str, fields: Sequence[str]) -> list[str | None]:
        found = self._hash(key)
        return [found.get(field) for field in fields]

    def raw_hgetall(self, key: str) -> dict[str, str]:
        return dict(self._hash(key))

    def raw_hset(
        self, key: str, field: str = "", value: Any = "", mapping: Mapping[str, Any] | None = None
    ) -> int:
        rows = dict(mapping) if mapping else {field: value}
        return self._do_hset(key, *(part for row in rows.items() for part in row))

    def raw_hdel(self, key: str, *fields: str) -> int:
        return self._do_hdel(key, *fields)

    def raw_hincrby(self, key: str, field: str, by: int = 1) -> int:
        return self._do_hincrby(key, field, by)

    def raw_hsetnx(self, key: str, field: str, value: Any) -> int:
        return self._do_hsetnx(key, field, value)

    def raw_sadd(self, key: str, *members: str) -> int:
        return self._do_sadd(key, *members)

    def raw_srem(self, key: str, *members: str) -> int:
        found = self._set(key)
        gone = len(found & set(members))
        self._keep_set(key, found - set(members))
        return gone

    def raw_scard(self, key: str) -> int:
        return len(self._set(key))

    def raw_smembers(self, key: str) -> set[str]:
        return self._set(key)

    def raw_zadd(
        self,
        key: str,
        members: Mapping[str, float],
        lt: bool = False,
        gt: bool = False,
        xx: bool = False,
    ) -> int:
        found, added = self._sorted(key, make=True), 0
        for member, score in members.items():
            was = found.scores.get(member)
            if xx and was is None:
                continue
            if was is None or not ((lt and score >= was) or (gt and score <= was)):
                added += found.add(member, float(score))
                self.changes += 1
        return added

    def raw_zrem(self, key: str, *members: str) -> int:
        return self._do_zrem(key, *members)

    def raw_zscore(self, key: str, member: str) -> float | None:
        return self._sorted(key).scores.get(member)

    def raw_zrange(self, key: str, start: int, end: int, withscores: bool = False) -> list[Any]:
        return self._shown(span(self._sorted(key).rows(), start, end), withscores)

    def raw_zrangebyscore(
        self,
        key: str,
        low: Any,
        high: Any,
        start: int | None = None,
        num: int | None = None,
        withscores: bool = False,
    ) -> list[Any]:
        rows = self._between(key, low, high)
        if start is not None and num is not None:
            rows = rows[start:] if num < 0 else rows[start : start + num]
        return self._shown(rows, withscores)

    def raw_zrangebylex(self, key: str, low: str, high: str) -> list[str]:
        return self._sorted(key).lex(low, high)

    def raw_zlexcount(self, key: str, low: str, high: str) -> int:
        return len(self._sorted(key).lex(low, high))

    def raw_xrange(
        self, key: str, low: str = "-", high: str = "+", count: int | None = None
    ) -> list[tuple[str, dict[str, str]]]:
        rows = [row for row in self.data.get(key, ()) if above(row[0], low) and below(row[0], high)]
        return rows[:count]

    def raw_xrevrange(
        self, key: str, high: str = "+", low: str = "-", count: int | None = None
    ) -> list[tuple[str, dict[str, str]]]:
        return self.raw_xrange(key, low, high)[::-1][:count]

    def raw_keys(self) -> list[str]:
        return [key for key in list(self.data) if self._full(key)]

    def raw_type(self, key: str) -> str:
        found = self._live(key)
        kinds = {str: "string", Hash: "hash", SortedSet: "zset", list: "stream", set: "set"}
        return "none" if found is None else kinds[type(found)]

    def raw_pttl(self, key: str) -> int:
        end = self.raw_pexpiretime(key)
        return end if end < 0 else end - self._now()

    def raw_pexpiretime(self, key: str) -> int:
        if self._live(key) is None:
            return -2
        return self._ends.get(key, -1)

    def scan_iter(self, match: str = "*", count: int = 0) -> Iterator[str]:
        prefix = match.rstrip("*")
        return iter(
            sorted(key for key in list(self.data) if key.startswith(prefix) and self._full(key))
        )

    # What Lua calls: a command as Redis knows it, answered as Redis tells Lua.

    def _run(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Answer:
        run = self._compiled.get(script.script)
        if run is None:
            # A chunk that the parser reads once; its locals are fresh at every call.
            run = self._compiled[script.script] = self._lua.compile(script.script)
        self._set_arguments(
            self._lua.table_from(list(keys)), self._lua.table_from([str(a) for a in args])
        )
        try:
            answer = run()
        except Exception as error:
            self.broken.append(f"{script.name}: {error}")
            raise redis.ResponseError(str(error)) from error
        return told(answer)

    def _call(self, command: str, *args: Any) -> Answer:
        if None in args:
            raise TypeError(
                f"{command}: Lua redis lib command arguments must be strings or integers"
            )
        answer = self._commands[command](*args)
        if answer is None:
            return False
        if type(answer) is list:
            return self._lua.table_from([False if one is None else one for one in answer])
        return answer

    def _do_info(self, section: str) -> str:
        assert section == "server"
        return f"# Server\r\nredis_version:7.0.0\r\nrun_id:{self.run_id}\r\ntcp_port:6379\r\n"

    def _do_time(self) -> list[str]:
        now = self._now()
        return [str(now // 1000), str(now % 1000 * 1000)]

    def _do_exists(self, key: str) -> int:
        return int(self._live(key) is not None)

    def _do_get(self, key: str) -> str | None:
        return self.raw_get(key)

    def _do_set(self, key: str, value: Any, *options: Any) -> str:
        assert options[:1] in {(), ("EX",)}
        self.raw_set(key, value, ex=int(options[1]) if options else None)
        return "OK"

    def _do_del(self, *keys: str) -> int:
        gone = 0
        for key in keys:
            gone += self._live(key) is not None
            self.data.pop(key, None)
            self._ends.pop(key, None)
        self.changes += gone
        return gone

    def _do_pexpireat(self, key: str, at: Any) -> int:
        if self._live(key) is None:
            return 0
        self._ends[key] = int(at)
        return 1

    def _do_pexpire(self, key: str, ms: Any) -> int:
        return self._do_pexpireat(key, self._now() + int(ms))

    def _do_persist(self, key: str) -> int:
        return int(self._live(key) is not None and self._ends.pop(key, None) is not None)

    def _do_hget(self, key: str, field: str) -> str | None:
        return self.raw_hget(key, field)

    def _do_hmget(self, key: str, *fields: str) -> list[str | None]:
        return self.raw_hmget(key, fields)

    def _do_hgetall(self, key: str) -> list[str]:
        return [part for row in self._hash(key).items() for part in row]

    def _do_hkeys(self, key: str) -> list[str]:
        return list(self._hash(key))

    def _do_hlen(self, key: str) -> int:
        return len(self._hash(key))

    def _do_hsetnx(self, key: str, field: str, value: str) -> int:
        return 0 if field in self._hash(key) else self._do_hset(key, field, value)

    def _do_hexists(self, key: str, field: str) -> int:
        return int(field in self._hash(key))

    def _do_hset(self, key: str, *rows: Any) -> int:
        found, added = self._hash(key, make=True), 0
        for field, value in zip(rows[::2], rows[1::2], strict=True):
            added += field not in found
            found[str(field)] = text(value)
        self.changes += 1
        return added

    def _do_hdel(self, key: str, *fields: str) -> int:
        found = self._hash(key)
        gone = sum(found.pop(field, None) is not None for field in fields)
        self.changes += gone
        self._drop_empty(key, found)
        return gone

    def _do_hincrby(self, key: str, field: str, by: Any) -> int:
        found = self._hash(key, make=True)
        number = int(found.get(field, "0")) + int(by)
        found[field] = str(number)
        self.changes += 1
        return number

    def _do_sadd(self, key: str, *members: str) -> int:
        found = self._set(key)
        self._keep_set(key, found | set(members))
        return len(set(members) - found)

    def _do_zadd(self, key: str, *row: Any) -> int:
        if row[0] == "NX":
            row = row[1:]
            if row[1] in self._sorted(key).scores:
                return 0
        score, member = row
        self.changes += 1
        return int(self._sorted(key, make=True).add(member, float(score)))

    def _do_zremrangebyscore(self, key: str, low: Any, high: Any) -> int:
        gone = [member for _, member in self._between(key, low, high)]
        return self._do_zrem(key, *gone) if gone else 0

    def _do_zrem(self, key: str, *members: str) -> int:
        found = self._sorted(key)
        gone = sum(found.remove(member) for member in members)
        self.changes += gone
        self._drop_empty(key, found.scores)
        return gone

    def _do_zscore(self, key: str, member: str) -> str | None:
        score = self._sorted(key).scores.get(member)
        return None if score is None else f"{score:.17g}"

    def _do_zrange(self, key: str, start: Any, end: Any, *options: str) -> list[str]:
        assert options in {(), ("WITHSCORES",)}
        return flat(span(self._sorted(key).rows(), int(start), int(end)), bool(options))

    def _do_zrangebyscore(self, key: str, low: Any, high: Any, *options: Any) -> list[str]:
        rows = self._between(key, low, high)
        scores = options[:1] == ("WITHSCORES",)
        if limit := options[scores:]:
            assert limit[0] == "LIMIT"
            rows = rows[int(limit[1]) : int(limit[1]) + int(limit[2])]
        return flat(rows, scores)

    def _do_zrangebylex(self, key: str, low: str, high: str, *limit: Any) -> list[str]:
        found = self._sorted(key).lex(low, high)
        if limit:
            assert limit[0] == "LIMIT"
            found = found[int(limit[1]) : int(limit[1]) + int(limit[2])]
        return found

    def _do_zrevrangebylex(self, key: str, high: str, low: str, *limit: Any) -> list[str]:
        found = self._sorted(key).lex(low, high)[::-1]
        if limit:
            assert limit[0] == "LIMIT"
            found = found[int(limit[1]) : int(limit[1]) + int(limit[2])]
        return found

    def _do_zlexcount(self, key: str, low: str, high: str) -> int:
        return len(self._sorted(key).lex(low, high))

    def _do_xadd(self, key: str, star: str, *rows: Any) -> str:
        assert star == "*"
        now, number = self._now(), 0
        if now <= self._last[0]:
            now, number = self._last[0], self._last[1] + 1
        self._last = (now, number)
        fields = {str(k): text(v) for k, v in zip(rows[::2], rows[1::2], strict=True)}
        self.data.setdefault(key, []).append((f"{now}-{number}", fields))
        self.changes += 1
        return f"{now}-{number}"

    def _do_xrevrange(self, key: str, high: str, low: str, _: str, count: int) -> Answer:
        rows = self.raw_xrevrange(key, high, low, int(count))
        return [self._lua.table_from([at]) for at, _ in rows]

    def _do_publish(self, channel: str, message: str) -> int:
        self.published.append((channel, message))
        return 0

    # How it is kept.

    def _live(self, key: str) -> Any:
        end = self._ends.get(key)
        if end is not None and end <= self._now():
            self.data.pop(key, None)
            del self._ends[key]
        return self.data.get(key)

    def _full(self, key: str) -> bool:
        return self._live(key) is not None

    def _write(self, key: str, value: Any) -> None:
        self.data[key] = value
        self.changes += 1

    def _hash(self, key: str, make: bool = False) -> Hash:
        found: Hash | None = self._live(key)
        if found is None:
            found = Hash()
            if make:
                self.data[key] = found
        return found

    def _set(self, key: str) -> set[str]:
        return set(self._live(key) or ())

    def _keep_set(self, key: str, members: set[str]) -> None:
        self._write(key, members)
        if not members:
            self._do_del(key)

    def _sorted(self, key: str, make: bool = False) -> SortedSet:
        found = self.data.get(key)
        if found is None:
            found = SortedSet()
            if make:
                self.data[key] = found
        return found

    def _drop_empty(self, key: str, found: Mapping[str, Any]) -> None:
        if not found:
            self.data.pop(key, None)
            self._ends.pop(key, None)

    def _between(self, key: str, low: Any, high: Any) -> list[tuple[float, str]]:
        lowest, highest = float(low), float(high)
        return [row for row in self._sorted(key).rows() if lowest <= row[0] <= highest]

    def _shown(self, rows: list[tuple[float, str]], withscores: bool) -> list[Any]:
        if withscores:
            return [(member, score) for score, member in rows]
        return [member for _, member in rows]

    def _decode(self, text: str) -> Any:
        found = parsed(text)
        if "null" in text:
            found = without_null(found, self._null)
        if isinstance(found, (dict, list)):
            return self._lua.table_from(found, recursive=True)
        return found

    def _encode(self, value: Any) -> str:
        return COMPACT.encode(plain(value, self._null))
