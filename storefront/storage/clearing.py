"""Takes away every key of a shop that was only a rehearsal."""

import re
from typing import Any

import redis

from storefront.storage.keys import Keys

REHEARSAL = re.compile(r"[A-Za-z0-9_-]{1,40}-rehearsal-[a-z0-9]{8}")
"""The id of such a shop; no other may be cleared."""
CHUNK = 500


def clear(client: redis.Redis, shop_id: str) -> int:
    """Delete every key of a rehearsal's shop; answers how many there were.

    Raises ValueError, and deletes nothing, for the id of any other shop.
    """
    if not REHEARSAL.fullmatch(shop_id):
        raise ValueError("no rehearsal's shop")
    number = 0
    while names := left(client, shop_id):
        number += int(client.unlink(*names))
    return number


def left(client: redis.Redis, shop_id: str) -> list[str]:
    """Some keys of a shop, at most a few hundred; none only when there are none."""
    found: list[str] = []
    any_client: Any = client  # replies are text: its types also allow bytes
    for name in any_client.scan_iter(match=Keys(shop_id).name("*"), count=CHUNK):
        found.append(name)
        if len(found) == CHUNK:
            break
    return found
