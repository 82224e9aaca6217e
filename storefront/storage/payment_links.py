"""Reads payment links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from storefront.domain.payment_links import ALLOTMENT, LinkState, PaymentLink
from storefront.storage.keys import Keys


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link, and what else there was of it at the same moment."""

    link: PaymentLink
    counted: str
    """Its entry in ``units``; empty when it has none."""
    due: Mapping[str, int]
    """Its jobs, with when they are due (ms)."""


class PaymentLinks:
    """The shop's payment links, as the scripts left them."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def get(self, link_id: str) -> PaymentLink | None:
        """The link as it stands."""
        return next(iter(self.get_many([link_id])), None)

    def get_many(self, link_ids: Sequence[str]) -> list[PaymentLink]:
        """Those of the links that exist, in the same order, all read at one moment."""
        return [seen.link for seen in self.examine(link_ids)]

    def all(self) -> list[PaymentLink]:
        """Every link, the newest first."""
        return self.get_many(self.ids())

    def ids(self) -> list[str]:
        """Ids of all links, the newest first."""
        found: list[str] = self._client.zrange(self._keys.links(), 0, -1)
        return found[::-1]

    def examine(self, link_ids: Sequence[str]) -> list[LinkSeen]:
        """Those of the links that exist, with what is counted and due for them, at one moment."""
        if not link_ids:
            return []
        pipe = self._client.pipeline(transaction=True)
        for link_id in link_ids:
            pipe.hgetall(self._keys.link(link_id))
        pipe.hmget(self._keys.name("units"), [ALLOTMENT + link_id for link_id in link_ids])
        pipe.zrange(self._keys.name("due"), 0, -1, withscores=True)
        *fields, units, due = pipe.execute()
        jobs = {job: int(at) for job, at in due}
        return [
            LinkSeen(
                read_link(f),
                counted or "",
                {job: jobs[job] for job in (f"link:{f['id']}", f"unlink:{f['id']}") if job in jobs},
            )
            for f, counted in zip(fields, units, strict=True)
            if "state" in f
        ]


def read_link(fields: Mapping[str, str]) -> PaymentLink:
    """The link that a hash describes."""
    return PaymentLink(
        id=fields["id"],
        sku=fields["sku"],
        units=int(fields["units"]),
        left=int(fields["left"]),
        state=LinkState(fields["state"]),
        unit_amount=int(fields["unit_amount"]),
        currency=fields["currency"],
        created=int(fields["created"]),
        name=fields.get("name", ""),
        slug=fields.get("slug", ""),
        image=fields.get("image", ""),
        capture=fields.get("capture", ""),
        version=int(fields.get("version", "1")),
        stripe=fields.get("stripe", ""),
        url=fields.get("url", ""),
        returned=int(fields.get("returned", "0")),
        why=fields.get("why", ""),
    )
