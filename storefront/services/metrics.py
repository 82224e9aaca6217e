"""The shop's state as Prometheus reads it.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable

from storefront.domain.orders import AWAITING
from storefront.services import holds
from storefront.services.shop import Shop

SETTLE_BUCKETS = (1, 2, 5, 10, 30, 60, 300)
"""Seconds between what happened at Stripe and its settlement here."""


def render(shop: Shop, streams: int) -> str:
    """All metrics in text form; ``streams`` is how many pages are open."""
    snapshot = shop.store.snapshot(newest=1)
    counters = shop.store.metrics()
    lines: list[str] = []
    _metric(
        lines,
        "shop_stock",
        "gauge",
        "Units of each SKU by where they are.",
        (
            (f'sku="{_text(sku)}",kind="{kind}"', getattr(level, kind))
            for sku, level in snapshot.levels.items()
            for kind in ("available", "held", "sold", "written_off", "stocked")
        ),
    )
    _metric(
        lines,
        "shop_orders",
        "gauge",
        "Orders by state.",
        ((f'state="{state}"', number) for state, number in shop.store.orders.counts().items()),
    )
    for name, prefix, labels, text in (
        ("shop_checkouts_total", "checkouts", ("outcome",), "Holds asked for, by answer."),
        ("shop_webhooks_total", "webhooks", ("type", "outcome"), "Stripe events, by outcome."),
        ("shop_stripe_requests_total", "stripe_requests", ("call", "outcome"), "Calls to Stripe."),
        ("shop_limited_total", "limited", ("limit",), "Requests refused by a limit."),
    ):
        rows = (
            (key.split(":")[1:], value)
            for key, value in sorted(counters.items())
            if key.startswith(f"{prefix}:")
        )
        _metric(
            lines,
            name,
            "counter",
            text,
            (
                (
                    ",".join(f'{k}="{_text(v)}"' for k, v in zip(labels, parts, strict=False)),
                    value,
                )
                for parts, value in rows
            ),
        )
    _settle_seconds(lines, counters)
    kinds = [job.partition(":")[0] for job in snapshot.due]
    _metric(
        lines,
        "shop_due_jobs",
        "gauge",
        "Jobs that are due now or later.",
        ((f'kind="{kind}"', kinds.count(kind)) for kind in sorted(set(kinds))),
    )
    late = max((snapshot.now - at for at in snapshot.due.values()), default=0)
    _metric(
        lines,
        "shop_due_late_seconds",
        "gauge",
        "How late the latest job is.",
        [("", max(0, late) / 1000)],
    )
    waiting = [o for o in snapshot.holds if snapshot.states.get(o) in AWAITING]
    created = [order.created for order in shop.store.orders.get_many(waiting[:1])]
    oldest = (snapshot.now - created[0]) / 1000 if created else 0
    _metric(lines, "shop_oldest_hold_seconds", "gauge", "Age of the oldest hold.", [("", oldest)])
    _metric(
        lines,
        "shop_overdue_holds",
        "gauge",
        "Holds past deadline and grace.",
        [("", len(holds.overdue(shop)))],
    )
    _metric(lines, "shop_streams", "gauge", "Open pages that are told changes.", [("", streams)])
    return "\n".join(lines) + "\n"


def settlement(seconds: float) -> dict[str, int]:
    """What to count for a settlement that came so many seconds after what happened at Stripe."""
    bucket = next((b for b in SETTLE_BUCKETS if seconds <= b), None)
    return {
        f"settle:{bucket or 'more'}": 1,
        "settle_milliseconds": max(0, round(seconds * 1000)),
    }


def _settle_seconds(lines: list[str], counters: dict[str, int]) -> None:
    lines.append("# HELP shop_settle_seconds From what happened at Stripe to its settlement here.")
    lines.append("# TYPE shop_settle_seconds histogram")
    below = 0
    for bucket in SETTLE_BUCKETS:
        below += counters.get(f"settle:{bucket}", 0)
        lines.append(f'shop_settle_seconds_bucket{{le="{bucket}"}} {below}')
    count = below + counters.get("settle:more", 0)
    lines.append(f'shop_settle_seconds_bucket{{le="+Inf"}} {count}')
    lines.append(f"shop_settle_seconds_sum {counters.get('settle_milliseconds', 0) / 1000}")
    lines.append(f"shop_settle_seconds_count {count}")


def _metric(
    lines: list[str], name: str, kind: str, text: str, rows: Iterable[tuple[str, float]]
) -> None:
    lines.append(f"# HELP {name} {text}")
    lines.append(f"# TYPE {name} {kind}")
    lines.extend(
        f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in rows
    )


def _text(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
