"""Redis restarts, and forgets what it had acknowledged last, or everything."""

from typing import Any

from tests.books import dump
from tests.services.town import Town

Picture = dict[str, Any]


def keep(town: Town) -> Picture:
    """Every key of the shop as it is now."""
    return dump(town.shop.store._client, but=frozenset())


def restart(town: Town, back_to: Picture | None = None) -> None:
    """Another server stands in Redis' place: with everything, or with what was kept back then."""
    client: Any = town.shop.store._client
    if back_to is not None:
        lose_all(town)
        for key, (value, ends) in back_to.items():
            _write(client, key, value)
            if ends > 0:
                client.pexpireat(key, ends)
    client.hset(town.shop.store.keys.door(), "run", "of-another-server")


def lose_all(town: Town) -> None:
    """Nothing is left, as on a new server; the scripts were loaded there before."""
    client: Any = town.shop.store._client
    for key in list(client.scan_iter(count=1000)):
        client.delete(key)
    town.shop.store.catalogue.read()


def _write(client: Any, key: str, value: Any) -> None:
    if isinstance(value, str):
        client.set(key, value)
    elif isinstance(value, dict):
        client.hset(key, mapping=value)
    elif isinstance(value[0][1], dict):
        for entry, fields in value:
            client.xadd(key, fields, id=entry)
    else:
        client.zadd(key, dict(value))
