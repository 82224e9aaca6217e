"""The stand-in as its own process, the official client that talks to it, and a webhook endpoint."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import stripe

from tests.harness import Forked, Running, clean_environment, started, wait_until
from tests.standin import contract

SECRET = "whsec_of_these_tests"
Json = dict[str, Any]


@dataclass
class Standin:
    """A running stand-in, with what a test asks of it."""

    process: Running
    http: requests.Session
    client: stripe.StripeClient
    mistakes: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.process.url

    def control(self, path: str, body: Json | None = None, method: str = "POST") -> Any:
        """Asks something of /_standin/; the JSON answer."""
        answer = self.http.request(method, f"{self.url}/_standin/{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, path: str) -> Any:
        """Reads something under /_standin/."""
        return self.control(path, method="GET")

    def now(self) -> int:
        """Stripe's time."""
        return int(self.ask("clock")["now"])

    def api(
        self, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """One raw API call."""
        return self.http.request(
            method,
            f"{self.url}/v1/{path}",
            data=data if method == "POST" else None,
            params=data if method != "POST" else None,
            headers={"Authorization": "Bearer sk_test_x", **(headers or {})},
            timeout=30,
        )

    def session_params(self, **more: Any) -> Json:
        """A session as a shop asks for it: two posters for 50 dollars."""
        return {
            "mode": "payment",
            "success_url": f"{self.url}/healthz?session={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{self.url}/healthz?cancelled=1",
            "line_items": [line(2500, 2)],
            **more,
        }

    def open_session(self, **more: Any) -> stripe.checkout.Session:
        return self.client.v1.checkout.sessions.create(self.session_params(**more))  # type: ignore[arg-type]

    def session(self, session_id: str) -> stripe.checkout.Session:
        return self.client.v1.checkout.sessions.retrieve(session_id)

    def visit(self, session: stripe.checkout.Session, **form: str) -> requests.Response:
        """Fills in the payment page and presses "Pay"; the answer, not followed."""
        return self.http.post(
            f"{self.url}/c/pay/{session.id}",
            data={"email": "ada@example.com", "fate": "pay", **form},
            allow_redirects=False,
            timeout=30,
        )

    def pay(self, session: stripe.checkout.Session, **form: str) -> stripe.checkout.Session:
        """Pays a session; the session afterwards."""
        answer = self.visit(session, **form)
        assert answer.status_code == 303, answer.text
        return self.session(session.id)

    def paid_intent(self, **more: Any) -> stripe.PaymentIntent:
        """The PaymentIntent of a session that was just paid."""
        session = self.pay(self.open_session(**more))
        assert isinstance(session.payment_intent, str)
        return self.client.v1.payment_intents.retrieve(session.payment_intent)

    def event_types(self, about: str) -> list[str]:
        """The types of the events about an object, oldest first."""
        events = self.client.v1.events.list({"limit": 100}).data
        return [e.type for e in reversed(events) if e.data.object["id"] == about]


def line(amount: int, quantity: int = 1, currency: str = "usd") -> Json:
    """A line item made on the spot."""
    product = {"name": "Poster", "description": "Screen print", "images": ["https://x.test/p.png"]}
    data = {"currency": currency, "unit_amount": amount, "product_data": product}
    return {"price_data": data, "quantity": quantity}


@contextmanager
def run_standin(folder: Path, *arguments: str) -> Iterator[Standin]:
    """A stand-in on a free port whose state is in the folder."""
    command = [sys.executable, "-m", "storefront.standin", "--port", "0"]
    command += ["--data", str(folder / "standin.sqlite3"), *arguments]
    (folder / "log.txt").unlink(missing_ok=True)  # of an earlier run over the same state
    process = Forked(command, clean_environment(folder), folder)
    with started(process), talking_to(process) as standin:
        yield standin


@contextmanager
def talking_to(process: Running) -> Iterator[Standin]:
    """The official client for a process, each answer of which is held against the contract."""
    wait_ready(process)
    with requests.Session() as session:
        client = stripe.StripeClient(
            "sk_test_x",
            base_addresses={"api": process.url},  # type: ignore[typeddict-item]
            http_client=stripe.RequestsClient(session=session, timeout=30),
        )
        standin = Standin(process, session, client)
        session.hooks["response"] = [lambda answer, **_: standin.mistakes.extend(judged(answer))]
        yield standin


def wait_ready(process: Running) -> None:
    """Waits for the line that names the address."""
    line = process.wait_for(
        lambda: next((s for s in process.log.splitlines() if s.startswith("ready ")), ""),
        "the stand-in is ready",
    )
    process.url = line.removeprefix("ready ")


def judged(answer: requests.Response) -> list[str]:
    """What the contract says against a call that was accepted."""
    path = urlsplit(str(answer.request.url)).path
    if answer.status_code != 200 or not path.startswith("/v1/"):
        return []
    method = str(answer.request.method)
    encoded = urlsplit(str(answer.request.url)).query
    if method == "POST":
        body = answer.request.body or b""
        encoded = body.decode() if isinstance(body, bytes) else str(body)
    wrong = [f"{method} {path} {text}" for text in contract.request_mistakes(method, path, encoded)]
    return wrong + contract.object_mistakes(answer.json())


@pytest.fixture(scope="package")
def shared_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with run_standin(tmp_path_factory.mktemp("standin")) as running:
        yield running


@pytest.fixture
def standin(shared_standin: Standin) -> Iterator[Standin]:
    """A stand-in without faults; its account keeps what earlier tests made."""
    shared_standin.mistakes.clear()
    yield shared_standin
    shared_standin.control("faults", method="DELETE")
    shared_standin.control("latency", {"ms": 0})
    shared_standin.control("webhooks", {"enabled": True, "mode": "normal"})
    shared_standin.control("refunds", {"start": "succeeded"})
    shared_standin.control("links", {"limit": "kept"})
    shared_standin.control("tax", {"status": "active"})
    assert shared_standin.mistakes == []


@pytest.fixture
def own_standin(tmp_path: Path) -> Callable[..., Any]:
    """Starts a stand-in of the test's own: ``with own_standin("--latency-ms", "5") as standin``."""

    @contextmanager
    def start(*arguments: str) -> Iterator[Standin]:
        with run_standin(tmp_path, *arguments) as running:
            yield running
            assert running.mistakes == []

    return start


@dataclass
class Endpoint:
    """A shop's webhook endpoint: verifies with the official library and remembers."""

    url: str = ""
    events: list[Json] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answer: Callable[[Json], int] = lambda _event: 200
    """The status for an event; may wait."""

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def about(self, object_id: str) -> list[str]:
        """The types of the events about an object, in the order of their arrival."""
        return [e["type"] for e in self.events if e["data"]["object"]["id"] == object_id]

    def wait_for(self, kind: str, times: int = 1) -> list[Json]:
        """The events of a type, once there are that many."""

        def found() -> list[Json]:
            events = [event for event in list(self.events) if event["type"] == kind]
            return events if len(events) >= times else []

        return wait_until(found, f"{times} × {kind}")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A webhook endpoint on this machine."""
    shop = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signature = self.headers["Stripe-Signature"]
            try:
                stripe.Webhook.construct_event(body, signature, SECRET)
            except stripe.SignatureVerificationError as error:
                shop.refused.append(str(error))
                self.send_error(400)
                return
            event = json.loads(body)
            status = shop.answer(event)
            shop.events.append(event)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.url = f"http://127.0.0.1:{server.server_port}/webhooks/stripe"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield shop
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def telling(
    own_standin: Callable[..., Any], endpoint: Endpoint
) -> Iterator[tuple[Standin, Endpoint]]:
    """A stand-in that tells the endpoint everything."""
    with own_standin("--webhook-url", endpoint.url, "--webhook-secret", SECRET) as standin:
        yield standin, endpoint
    assert endpoint.refused == []
