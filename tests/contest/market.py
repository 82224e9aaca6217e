"""A whole shop in real processes, with a Stripe whose books can be read, for the proofs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from storefront.domain.door import Door
from storefront.domain.orders import HOLDING, Order, State
from storefront.domain.products import Level
from storefront.services import mirroring, reconciliation
from storefront.storage.connection import connect
from storefront.storage.store import Store, open_store
from tests.harness import (
    WEBHOOK_SECRET,
    RedisServer,
    Running,
    free_port,
    shop_command,
    start_redis,
    start_shop,
    start_standin,
    start_worker,
    wait_until,
)

PRICE = 2500
"""Of every product, in cents."""
KEY = "sk_test_of_the_contest"
PAYABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


@dataclass
class StripeSide:
    """The stand-in as its account's owner sees it, over Stripe's own API, and its controls."""

    process: Running

    def sessions(self) -> list[dict[str, Any]]:
        """Every Checkout Session with its PaymentIntent, the newest first.

        And every PaymentIntent that the shop's own page pays, in the words of a session.
        """
        intents = self._all("payment_intents", {})
        own = [as_session(intent) for intent in intents if "form" in intent["metadata"]]
        return self._all("checkout/sessions", {"expand[]": "data.payment_intent"}) + own

    def refunds(self) -> list[dict[str, Any]]:
        return self._all("refunds", {})

    def live(self) -> Counter[str]:
        """Sessions that can be paid or were paid, by order."""
        return Counter(
            session["client_reference_id"]
            for session in self.sessions()
            if session["status"] == "open" or is_paid(session)
        )

    def plan(self, match: str, kind: str, **more: Any) -> None:
        """A failure of the API, for ever unless ``times`` says how often."""
        self.control("faults", {"match": match, "kind": kind, "times": None, **more})

    def mend(self) -> None:
        """Removes every planned failure."""
        requests.delete(f"{self.process.url}/_standin/faults", timeout=10).raise_for_status()

    def control(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = requests.post(f"{self.process.url}/_standin/{path}", json=dict(body), timeout=10)
        answer.raise_for_status()
        return answer.json()

    def requests(self) -> list[dict[str, Any]]:
        """What the shop asked of late, the oldest first."""
        found: list[dict[str, Any]] = requests.get(
            f"{self.process.url}/_standin/requests", timeout=10
        ).json()
        return found

    def post(self, path: str, fields: Mapping[str, str]) -> Any:
        """What somebody writes in the account by hand."""
        answer = requests.post(
            f"{self.process.url}/v1/{path}",
            data=dict(fields),
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=20,
        )
        assert answer.ok, answer.text
        return answer.json()

    def _all(self, path: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more = True
        while more:
            query = {**params, "limit": "100"}
            if found:
                query["starting_after"] = found[-1]["id"]
            answer = requests.get(
                f"{self.process.url}/v1/{path}",
                params=query,
                headers={"Authorization": f"Bearer {KEY}"},
                timeout=20,
            )
            answer.raise_for_status()
            page = answer.json()
            found += page["data"]
            more = page["has_more"]
        return found


@dataclass
class Market:
    """The running shop."""

    redis: RedisServer
    stripe: StripeSide
    shop: Running
    env: Mapping[str, str]
    folder: Path
    store: Store
    worker: Running | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def command(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and document of ``flask shop … --json``."""
        return shop_command(self.shop.env, *arguments)

    def stock(self, slug: str) -> Level:
        """The counters of a product's only variant."""
        return next(level for level in self.store.stock.levels() if level.sku == slug)

    def orders(self) -> list[Order]:
        return list(self.store.orders.walk())

    def order_at(self, pay_url: str) -> Order:
        """The order of a payment page."""
        session = pay_url.rpartition("/")[2]
        return next(order for order in self.orders() if session in order.sessions)

    def state_at(self, pay_url: str) -> State:
        return self.order_at(pay_url).state

    def start_worker(self) -> Running:
        """The first worker, or another one in its place."""
        self.worker = self._stack.enter_context(start_worker(self.env))
        return self.worker

    def hears_all(self, seconds: float = 60) -> None:
        """Waits until the shop knows of every payment that Stripe took, and has decided on others."""

        def knows() -> bool:
            sessions = self.stripe.sessions()
            paid = {s["payment_intent"]["id"] for s in sessions if is_paid(s)}
            return not any(map(is_authorized, sessions)) and paid == {
                payment for order in self.orders() for payment in order.payments
            }

        wait_until(knows, "the shop knows of every payment", seconds)

    def open_again(self) -> None:
        """Waits until the shop sells again, its books compared with Stripe after a restart."""
        wait_until(lambda: self.store.scripts.read_door()[0] is Door.OPEN, "the shop opens again")

    def at_rest(self, seconds: float = 60) -> None:
        """Waits until nothing is held, and nothing is due but what comes again and again."""

        def rests() -> bool:
            again = {reconciliation.JOB, mirroring.JOB}
            due = [job for job in self.store.due.jobs() if job.name not in again]
            return not due and not self.store.orders.holding()

        try:
            wait_until(rests, "nothing is held or due", seconds)
        except AssertionError as failure:
            failure.add_note(f"due: {self.store.due.jobs()}")
            failure.add_note(f"holding: {[o for o in self.orders() if o.state in HOLDING]}")
            raise

    def audit(self) -> None:
        """Fails with the checks that do."""
        code, document = self.command("audit", "--stripe")
        assert [check for check in document["checks"] if not check["ok"]] == []
        assert (code, document["ok"]) == (0, True)

    def quiet_logs(self) -> None:
        """Fails when anything ran into an error that nobody expected."""
        for process in (self.shop, self.worker):
            assert process is None or "Traceback" not in process.log, process.log[-6000:]


def as_session(intent: dict[str, Any]) -> dict[str, Any]:
    """A PaymentIntent of the shop's own page as if it were a session."""
    status = "open" if intent["status"] in PAYABLE else "complete"
    return {
        "id": intent["id"],
        "client_reference_id": intent["metadata"]["order"],
        "status": "expired" if intent["status"] == "canceled" else status,
        "payment_intent": intent,
        "amount_total": intent["amount"],
        "payment_link": None,
        "metadata": intent["metadata"],
    }


def is_paid(session: Mapping[str, Any]) -> bool:
    """Whether a session's money was taken."""
    intent = session["payment_intent"]
    return bool(intent) and intent["status"] == "succeeded"


def is_authorized(session: Mapping[str, Any]) -> bool:
    """Whether a bank has agreed to pay, and nobody has captured or cancelled that yet."""
    intent = session["payment_intent"]
    return bool(intent) and intent["status"] == "requires_capture"


def catalogue(stock: Mapping[str, int]) -> str:
    """A catalogue file of products with one variant each, whose SKU is the slug."""
    return "\n".join(
        f'[[products]]\nslug = "{slug}"\nname = "{slug}"\n'
        f'[[products.variants]]\nsku = "{slug}"\nprice = "25.00"\nstock = {units}\n'
        for slug, units in stock.items()
    )


@contextmanager
def open_market(
    stock: Mapping[str, int],
    *,
    hold_seconds: int,
    worker: bool = True,
    application: str = "wsgi:app",
    standin_arguments: tuple[str, ...] = (),
    redis_options: Mapping[str, str] | None = None,
    **settings: str,
) -> Iterator[Market]:
    """A shop with so many units by slug; ``settings`` are environment variables."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        redis = stack.enter_context(start_redis(**(redis_options or {})))
        hooks = f"{address}/webhooks/stripe"
        standin = stack.enter_context(start_standin(hooks, WEBHOOK_SECRET, *standin_arguments))
        env = {
            "REDIS_URL": redis.url,
            "STRIPE_API_BASE": standin.url,
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SECRET_KEY": "a key for the contest of the tests",
            "PUBLIC_URL": address,
            "RATE_LIMIT": "off",
            "HOLDS_PER_IP": "0",
            "HOLD_SECONDS": str(hold_seconds),
            "DELAYED_METHODS": "on",
            **settings,
        }
        shop = stack.enter_context(start_shop(env, port, application))
        client = stack.enter_context(connect(redis.url))
        market = Market(
            redis,
            StripeSide(standin),
            shop,
            env,
            shop.folder,
            open_store(client, "popup"),
            _stack=stack,
        )
        file = market.folder / "catalogue.toml"
        file.write_text(catalogue(stock))
        code, document = market.command("import", str(file))
        assert code == 0, document
        if worker:
            market.start_worker()
        yield market
