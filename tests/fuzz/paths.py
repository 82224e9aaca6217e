"""Addresses: links of orders, products, files and pages, with any method, path and query."""

import random
from urllib.parse import quote

from storefront.domain.orders import Order
from tests.books import broken
from tests.fuzz.changes import only_of
from tests.fuzz.groups import Attack, Found, chance_of
from tests.fuzz.stage import Stage

METHODS = (
    *["GET"] * 12,
    "HEAD",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "get",
    "X" * 300,
)
PAGES = (
    *("/", "/bag", "/products/poster", "/products/zine", "/products/nothing", "/stock.json"),
    *(
        "/healthz",
        "/readyz",
        "/metrics",
        "/webhooks/stripe",
        "/static/icons.svg",
        "/static/site.css",
    ),
    *("/pictures/poster.svg", "/admin/", "/admin/login", "/admin/integrity", "/admin/restock"),
    *("/admin/stock", "/admin/stock?sku=record"),
    *("/checkout", "/favicon.ico", "/robots.txt", "/.env", "/admin"),
)
ODD = (
    *(
        "\x00",
        "\n",
        "\r\nX-Fuzzed: 1",
        "%00",
        "%",
        "%zz",
        "%2e%2e",
        "..",
        "../",
        "//",
        "/",
        "\\",
        ";a=b",
        "?",
    ),
    *(
        "#",
        " ",
        "+",
        "é",
        "票",
        "\u202e",
        "\U0001f600",
        "<i>fuzz</i>",
        "{{7*7}}",
        "'",
        '"',
        "`",
        "$(id)",
    ),
    *(
        "a" * 300,
        "a" * 9000,
        "/a" * 2000,
        ".json",
        ".json.json",
        ".svg",
        "~",
        "\x7f",
        "\xa0",
        "../../etc/passwd",
    ),
)
NAMES = ("sku", "stripe", "v", "token", "next", "_method", "page", "", "a[]", "sku[]")


class Paths(Attack):
    """Requests that bring nothing but their address."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._orders: dict[str, Order] = {o.id: o for o in stage.shop.store.orders.walk()}
        self._tokens = sorted(stage.tokens)

    def play(self, seed: int) -> None:
        chance = chance_of(seed)
        path, query, method = self._path(chance), self._query(chance), chance.choice(METHODS)
        headers = {}
        if chance.random() < 0.3:
            headers["Cookie"] = chance.choice((self.stage.operator, self.stage.visitor))[0]
        if path.startswith("/metrics") and chance.random() < 0.5:
            headers["Authorization"] = "Bearer token-for-metrics"
        raw = path.encode("utf-8", "surrogatepass").decode("latin-1")
        environ = {"REMOTE_ADDR": "127.0.0.1"} if chance.random() < 0.2 else {}
        reply = self.stage.send(method, raw, headers, query=query, environ=environ)
        sent = f"{method} {path!r} ? {query!r} {headers}"
        try:
            self.harmless(reply, sent)
            self.outcomes[str(reply.status)] += 1
            if b"<i>fuzz" in reply.body and "html" in reply.headers.get("Content-Type", ""):
                raise Found(f"markup that was sent stands in the page of {sent}")
            if "X-Fuzzed" in reply.headers or b"root:" in reply.body:
                raise Found(f"{reply.headers} {reply.body[:300]!r} for {sent}")
            self._unchanged(path, method, sent)
        finally:
            self.stage.restore()

    def _unchanged(self, path: str, method: str, sent: str) -> None:
        """Only an order's own link may do anything, which is to learn what Stripe says of it."""
        if self.stage.untouched():
            return
        link = path.lstrip("/").removesuffix(".json")  # slashes in front count as one
        order = self._orders.get(self.stage.tokens.get(link.removeprefix("orders/"), ""))
        own = link.startswith("orders/") and method.upper() in {"GET", "HEAD"}
        changes = self.stage.changes()
        wrong = list(only_of(order if own else None, changes, frozenset()))
        wrong += broken(self.stage.shop.store)
        self.outcomes["asked Stripe"] += 1
        if wrong:
            raise Found("\n".join([*wrong, sent]))

    def _path(self, chance: random.Random) -> str:
        if chance.random() < 0.4:
            path = f"/orders/{chance.choice(self._tokens)}"
            path += chance.choice(("", "", ".json", "/cancel"))
        else:
            path = chance.choice(PAGES)
        for _ in range(chance.choice((0, 0, 1, 1, 1, 2))):
            at = chance.randrange(len(path) + 1)
            match chance.randrange(7):
                case 0 | 1:
                    path = path[:at] + chance.choice(ODD) + path[at:]
                case 2:
                    path = path[:at] + path[at + 1 :]
                case 3:
                    path = path[:at]
                case 4 if at < len(path):
                    path = path[:at] + path[at].swapcase() + path[at + 1 :]
                case 5 if at < len(path):
                    path = path[:at] + chance.choice("abc234-_/.") + path[at + 1 :]
                case _:
                    path += chance.choice(PAGES)
        return path

    def _query(self, chance: random.Random) -> str:
        if chance.random() < 0.5:
            return ""
        value = chance.choice((*ODD, "zine", "1", "nothing"))
        query = f"{chance.choice(NAMES)}={value}" * chance.choice((1, 1, 2, 200))
        # What stands in the request's first line has no control characters, or the server refuses it.
        query = "".join(quote(letter) if letter < " " else letter for letter in query)
        return query.encode("utf-8", "surrogatepass").decode("latin-1")
