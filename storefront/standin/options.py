"""What the stand-in is told when it is started."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from .account import LINK_LIMITS
from .deliveries import MODES


@dataclass(frozen=True)
class Options:
    """Checked options; every one can be given as ``STANDIN_…`` in the environment too."""

    host: str
    port: int
    data: str
    public_url: str | None
    webhook_url: str | None
    webhook_secret: str
    latency_ms: int
    webhooks: str | None
    refunds: str | None
    link_limit: str | None


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """The options; ends the program with status 2 and one sentence when one is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m storefront.standin",
        description="A small stateful Stripe over HTTP with its own payment page, for trials.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )

    def option(name: str, default: str | None, text: str, **more: object) -> None:
        variable = f"STANDIN_{name.upper().replace('-', '_')}"
        parser.add_argument(
            f"--{name}",
            default=environ.get(variable) or default,  # empty is not set
            help=f"{text} ({variable})",
            **more,  # type: ignore[arg-type]
        )

    option("host", "127.0.0.1", "address to listen on")
    option("port", "8001", "port to listen on; 0 takes a free one", type=int)
    option("data", "instance/standin.sqlite3", "file that keeps everything; :memory: keeps nothing")
    option("public-url", None, "address under which browsers reach the payment page")
    option("webhook-url", None, "address that gets every event")
    option("webhook-secret", "whsec_standin", "secret that signs events to --webhook-url")
    option("latency-ms", "0", "milliseconds that every API call takes", type=int)
    option("webhooks", None, "usual fate of webhooks", choices=MODES)
    option("refunds", None, "status in which refunds start", choices=("succeeded", "pending"))
    option(
        "link-limit",
        None,
        "whether sessions open when their payment link reaches its limit can be paid (overrun)",
        choices=LINK_LIMITS,
    )
    given = parser.parse_args(list(arguments))
    if not 0 <= given.port <= 65535:
        parser.error(f"--port must be 0 to 65535, not {given.port}")
    if not 0 <= given.latency_ms <= 60_000:
        parser.error(f"--latency-ms must be 0 to 60000, not {given.latency_ms}")
    for name in ("public_url", "webhook_url"):
        value = getattr(given, name)
        if value and (
            urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc
        ):
            parser.error(f"--{name.replace('_', '-')} must be an http address, not {value!r}")
    if not given.webhook_secret:
        parser.error("--webhook-secret must not be empty")
    return Options(
        host=given.host,
        port=given.port,
        data=given.data,
        public_url=(given.public_url or "").rstrip("/") or None,
        webhook_url=given.webhook_url or None,
        webhook_secret=given.webhook_secret,
        latency_ms=given.latency_ms,
        webhooks=given.webhooks,
        refunds=given.refunds,
        link_limit=given.link_limit,
    )
