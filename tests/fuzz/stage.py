"""A shop with an order in each state, which is put back as it was after every input."""

import hashlib
import hmac
import io
import logging
import pickle
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import fakeredis
import time_machine
from werkzeug.security import generate_password_hash
from werkzeug.test import run_wsgi_app

from storefront.app import assemble
from storefront.clients.mail import Mailer
from storefront.domain.orders import Order
from storefront.services import orders
from storefront.services.shop import Shop
from storefront.settings import load_settings
from storefront.storage.store import open_store
from tests.books import dump, read
from tests.fakes.stripe import FakeStripe
from tests.fuzz.opening import OPENING, Opening
from tests.web.browsing import Browser

PASSWORD = "night moth"
HOST = "shop.example"
SECRET = "whsec_x"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the shop answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()
    """As it sets them."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass
class Ears(logging.Handler):
    """Hears of every error that the shop did not expect."""

    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.heard.append(self.format(record))


@dataclass(frozen=True, slots=True)
class Kept:
    """How the shop and its Stripe stood at a moment."""

    whole: bytes
    picture: Mapping[str, Any]
    each: Mapping[bytes, bytes]
    calls: int
    stripe: bytes


class Stage:
    """The shop, its Stripe, its web application, and a picture of how all of it began."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environ = {
            "SECRET_KEY": "the-tests-own-key",
            "PUBLIC_URL": f"http://{HOST}",
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "ADMIN_PASSWORD_HASH": generate_password_hash(PASSWORD, method="pbkdf2:sha256:1"),
            "RATE_LIMIT": "off",
            "HOLDS_PER_IP": "0",
            "METRICS_TOKEN": "token-for-metrics",
            "DELAYED_METHODS": "on",
        }
        settings = load_settings(self._environ, folder)
        self._server = fakeredis.FakeServer(version=(7, 0))
        self.client = fakeredis.FakeRedis(server=self._server, decode_responses=True)
        self.stripe = FakeStripe()
        self.shop = Shop(
            settings=settings,
            store=open_store(self.client, settings.shop_id),
            stripe=self.stripe,  # type: ignore[arg-type]
            mailer=Mailer("", settings.mail_from, folder / "mail"),
        )
        self.app = assemble(self.shop)
        self.ears = Ears()
        self.heard: list[dict[str, Any]] = []
        """Events whose outcome is stored."""
        self.told: list[dict[str, Any]] = []
        """Events that the shop has not heard of."""
        Opening(self.shop, self.stripe, self.heard).fill()
        self.told = self.stripe.new_events()
        self.seed = ""
        """Of the operator's one-time codes, where they are asked for."""
        self.operator = self.cookie("/admin/login", password=PASSWORD)
        """Cookie and CSRF token of someone who has signed in."""
        self.visitor = self.cookie("/bag", sku="zine", quantity="2")
        """The same of someone with two zines in the bag."""
        self.keep()

    def start_again(self, **environ: str) -> None:
        """The same shop with other settings: what was begun with those of before goes on."""
        self._environ |= environ
        settings = load_settings(self._environ, self._folder)
        self.shop = replace(self.shop, settings=settings)
        self.app = assemble(self.shop)

    # What the inputs act on.

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        query: str = "",
        environ: Mapping[str, Any] | None = None,
    ) -> Reply:
        """A request exactly so, as a server would hand it over; ``path`` is decoded already."""
        given: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": HOST,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "198.51.100.7",
            "HTTP_HOST": HOST,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in (headers or {}).items():
            key = name.upper().replace("-", "_")
            given[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
        given |= environ or {}
        self.ears.heard.clear()
        try:
            parts, status, answered = run_wsgi_app(self.app, given, buffered=True)
        except Exception:  # what the server would answer 500
            logging.getLogger(__name__).exception("the application failed")
            return Reply(500, {}, b"")
        cookies = tuple(answered.getlist("Set-Cookie"))
        return Reply(int(status[:3]), dict(answered), b"".join(parts), cookies)

    def signature(self, body: bytes) -> str:
        """The header with which Stripe signs a body now."""
        at = int(time.time())
        digest = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at},v1={digest}"

    def order(self, order_id: str) -> Order:
        found = self.shop.store.orders.get(order_id)
        assert found is not None
        return found

    # What changed, and putting it back.

    @property
    def picture(self) -> Mapping[str, Any]:
        """What each key held as it all began."""
        return self.kept.picture

    def untouched(self) -> bool:
        """Whether nothing at all was written, not even a counter."""
        return self._bytes() == self.kept.whole

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Each key that is not as it was, without the shop's prefix: what it held and holds."""
        found = {}
        items = self._items()
        for raw in self.kept.each.keys() | items.keys():
            if self.kept.each.get(raw) != items.get(raw):
                key = raw.decode()
                now = read(self.client, key) if raw in items else None
                if self.picture.get(key) != now:
                    found[key.partition(":")[2]] = (self.picture.get(key), now)
        return found

    def restore(self) -> None:
        """As before the input."""
        if not self.untouched():
            database = self._server.dbs[0]
            database._dict.clear()
            database._dict.update(pickle.loads(self.kept.whole))
        if len(self.stripe.wire.calls) != self.kept.calls:
            kept = pickle.loads(self.kept.stripe)
            calls = self.stripe.wire.calls
            del calls[self.kept.calls :]
            self.stripe.wire._saved = kept.pop("_saved")
            vars(self.stripe).update(kept)

    def begin_with(self, kept: "Kept") -> None:
        """Go on from another moment, which is put back after each input from now on."""
        if self.kept is not kept:
            self.kept = kept
            self.restore()

    def keep(self) -> "Kept":
        """What is put back after each input is as it is now."""
        self.tokens = {
            orders.token(self.shop, order.id): order.id for order in self.shop.store.orders.walk()
        }
        """Each order's link."""
        picture = dump(self.client, but=frozenset())  # what it looks at and is over goes with that
        whole = self._bytes()
        stripe = {
            **{n: value for n, value in vars(self.stripe).items() if n not in {"now", "wire"}},
            "_saved": self.stripe.wire._saved,
        }
        calls = len(self.stripe.wire.calls)
        self.kept = Kept(whole, picture, self._items(), calls, pickle.dumps(stripe))
        assert self.untouched(), "looking changes the picture"
        return self.kept

    def cookie(self, path: str, **fields: str) -> tuple[str, str]:
        """Cookie and CSRF token of somebody who sends this form."""
        browser = Browser(self.app)
        assert browser.send(path, **fields).status_code == 303
        page = browser.page("/admin/stock" if path == "/admin/login" else "/bag")
        token = page.all("input", name="csrf_token")[0].attributes["value"]
        cookie = browser.client.get_cookie("shop_session", HOST)
        assert cookie is not None
        return f"shop_session={cookie.value}", token

    def _bytes(self) -> bytes:
        return pickle.dumps(self._server.dbs[0]._dict)

    def _items(self) -> dict[bytes, bytes]:
        return {key: pickle.dumps(item) for key, item in self._server.dbs[0]._dict.items()}


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Such a shop, on a clock that stands, its log unread but for what failed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(time_machine.travel(OPENING, tick=False))
        stage = Stage(folder)
        log = logging.getLogger()
        level = log.level
        log.addHandler(stage.ears)
        stack.callback(log.removeHandler, stage.ears)
        stack.callback(log.setLevel, level)
        yield stage
