"""Forms with any fields, files, content types and encodings, from visitors and from the operator."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from tests.books import broken
from tests.fuzz.changes import only_of
from tests.fuzz.encodings import encoded
from tests.fuzz.groups import Attack, Found, chance_of
from tests.fuzz.stage import PASSWORD, Reply, Stage

SKUS = ("zine", "poster-red", "poster-ink", "last", "later")
LIMITS = {"poster-red": 4, "poster-ink": 4}
ODD = (
    *(
        "",
        "0",
        "1",
        "2",
        "4",
        "5",
        "10",
        "11",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x1",
        " 1",
        "1 ",
        "１",
        "١",
    ),
    *("nan", "inf", "null", "9" * 6, "9" * 7, "9" * 5000, "1\x00", "1\n2", "-0", "--1", "²"),
    *(
        "zine",
        "ZINE",
        "zine ",
        "../zine",
        "a" * 64,
        "a" * 65,
        "a" * 3000,
        "票",
        "\U0001f600",
        "\ud800",
    ),
    *(
        "<i>fuzz</i>",
        "{{7*7}}",
        "'\"--",
        "x\r\nX-Fuzzed: 1",
        "\x00",
        "\x7f",
        "\u202e",
        "%s%n",
        "[]",
    ),
    *("AAAAAAAAAAAAAAAA", "a-b_c" * 4, "x" * 128, "x" * 129, "\xff", "é" * 100),
)
NAMES = (
    "csrf_token",
    "sku",
    "quantity",
    "token",
    "add",
    "remove",
    "delta",
    "reason",
    "key",
    "order",
)
PATHS = (
    "/checkout",
    "/bag",
    "cancel",
    "/admin/login",
    "/admin/logout",
    "/admin/restock",
    "/admin/holds/release",
)


class Forms(Attack):
    """Posts to every form that there is."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._orders = {order.id: order for order in stage.shop.store.orders.walk()}
        self._tokens = sorted(stage.tokens)

    def play(self, seed: int) -> None:
        chance = chance_of(seed)
        path = chance.choice(PATHS)
        if path == "cancel":
            path = f"/orders/{chance.choice(self._tokens)}/cancel"
        cookie, csrf = self.stage.operator if path.startswith("/admin") else self.stage.visitor
        pairs = self._changed(self._right(path, csrf, chance), chance)
        kind, body, exact = encoded(pairs, chance)
        exact = exact and not any("\ud800" in part for pair in pairs for part in pair)
        headers = {"Content-Type": kind, "Cookie": cookie}
        if chance.random() < 0.05:
            headers["Cookie"] = chance.choice((self.stage.operator, self.stage.visitor))[0]
        environ: dict[str, Any] = {"REMOTE_ADDR": f"203.0.113.{chance.randrange(256)}"}
        if chance.random() < 0.05:
            length = chance.choice(("", "0", "1", str(len(body) + 10), "-1", "x", "9" * 30, "1e3"))
            environ["CONTENT_LENGTH"] = length
            exact = False
        reply = self.stage.send("POST", path, headers, body, environ=environ)
        sent = f"{path} {environ} {headers} {body[:2500]!r}"
        try:
            self.harmless(reply, sent)
            self.outcomes[f"{path.split('/')[-1]} {reply.status}"] += 1
            wrong = list(self._wrong(path, pairs, reply, exact=exact))
            if wrong:
                raise Found("\n".join([*wrong, f"{reply.status} for {sent}"]))
        finally:
            self.stage.restore()

    def _right(self, path: str, csrf: str, chance: random.Random) -> list[tuple[str, str]]:
        """What the page itself would send."""
        pairs = [("csrf_token", csrf)]
        token = ("token", f"form-{chance.randrange(10**12):012d}")
        sku, quantity = chance.choice(SKUS), str(chance.randrange(1, 5))
        if path == "/checkout":
            if chance.random() < 0.7:
                pairs += [("sku", sku), ("quantity", quantity)]
            pairs.append(token)
        elif path == "/bag":
            pairs += [("sku", sku), ("quantity", quantity)]
            pairs += [[], [("add", "1")], [("remove", "1")]][chance.randrange(3)]
        elif path == "/admin/login":
            pairs.append(("password", chance.choice((PASSWORD, "wrong", "\x00", "é" * 50))))
        elif path == "/admin/restock":
            delta = str(chance.randrange(-3, 4))
            pairs += [("sku", sku), ("delta", delta), ("reason", "found some"), ("key", token[1])]
        elif path == "/admin/holds/release":
            pairs.append(("order", chance.choice(list(self._orders))))
        return pairs

    def _changed(
        self, pairs: list[tuple[str, str]], chance: random.Random
    ) -> list[tuple[str, str]]:
        for _ in range(chance.choice((0, 1, 1, 1, 1, 2, 3))):
            at = chance.randrange(len(pairs)) if pairs else 0
            match chance.choices(range(9), (40, 10, 10, 8, 8, 4, 4, 2, 4))[0]:
                case 0 if pairs:
                    # Mostly behind the token, which is checked before all else.
                    at = max(at, min(1, len(pairs) - 1)) if chance.random() < 0.8 else at
                    pairs[at] = (pairs[at][0], chance.choice(ODD))
                case 1 if pairs:
                    del pairs[max(at, min(1, len(pairs) - 1)) if chance.random() < 0.8 else at]
                case 2 if pairs:
                    pairs.insert(chance.randrange(len(pairs) + 1), pairs[at])
                case 3:
                    pairs.append((chance.choice(NAMES), chance.choice(ODD)))
                case 4:
                    pairs += [("sku", chance.choice(SKUS)), ("quantity", str(chance.randrange(6)))]
                case 5:
                    chance.shuffle(pairs)
                case 6 if pairs:
                    pairs[at] = (chance.choice(ODD), pairs[at][1])
                case 7:
                    pairs += [("sku", "zine"), ("quantity", "1")] * chance.choice((3, 20, 150, 500))
                case _ if pairs and pairs[0][0] == "csrf_token":
                    other = chance.choice((self.stage.operator, self.stage.visitor))[1]
                    pairs[0] = ("csrf_token", chance.choice((other, other[:-1], other[::-1], "")))
        return pairs

    def _wrong(
        self, path: str, pairs: list[tuple[str, str]], reply: Reply, *, exact: bool
    ) -> Iterator[str]:
        if b"<i>fuzz" in reply.body and "html" in reply.headers.get("Content-Type", ""):
            yield "what was sent stands in the page as markup"
        if "X-Fuzzed" in reply.headers or any("\n" in value for value in reply.headers.values()):
            yield "what was sent became a header"
        if self.stage.untouched():
            return
        changes = self.stage.changes()
        # Each try at the password is counted.
        if changes.keys() <= {"metrics"} | ({"account"} if path == "/admin/login" else set()):
            return
        self.outcomes[f"{path.rsplit('/', maxsplit=1)[-1]} done"] += 1
        sent = dict(reversed(pairs))  # of several with one name, the first counts
        cookies = (self.stage.operator[1], self.stage.visitor[1])
        if exact and sent.get("csrf_token") not in cookies:
            yield "something was done without the form's token"
        yield from broken(self.stage.shop.store)
        if path == "/checkout":
            yield from self._bought(pairs, reply, changes, exact=exact)
        elif path.endswith("/cancel"):
            order = self._orders[self.stage.tokens[path.split("/")[2]]]
            yield from only_of(order, changes, frozenset({"metrics"}))
        elif path == "/admin/restock":
            yield from self._restocked(sent, reply, changes, exact=exact)
        else:
            yield f"{changes.keys()} changed"

    def _bought(
        self,
        pairs: list[tuple[str, str]],
        reply: Reply,
        changes: Mapping[str, tuple[Any, Any]],
        *,
        exact: bool,
    ) -> Iterator[str]:
        """One new order of exactly what was asked for, and nothing else."""
        if reply.status != 303:
            yield f"{reply.status}, and {changes.keys()} changed"
        new = [o for o in self.stage.shop.store.orders.walk() if o.id not in self._orders]
        if len(new) != 1:
            yield f"{len(new)} new orders"
            return
        yield from only_of(new[0], changes, frozenset({"metrics", "orders"}))
        held = {line.sku: line.quantity for line in new[0].lines}
        if any(quantity > LIMITS.get(sku, 10) or quantity < 1 for sku, quantity in held.items()):
            yield f"{held} is over the limit"
        if exact:
            wanted: dict[str, int] = {}
            skus = [value for name, value in pairs if name == "sku"]
            numbers = [value for name, value in pairs if name == "quantity"]
            for sku, number in zip(skus, numbers if skus else (), strict=True):
                wanted[sku] = wanted.get(sku, 0) + int(number)
            if held != (wanted or {"zine": 2}):
                yield f"{held} was held, {wanted or 'the bag'} asked for"

    def _restocked(
        self,
        sent: Mapping[str, str],
        reply: Reply,
        changes: Mapping[str, tuple[Any, Any]],
        *,
        exact: bool,
    ) -> Iterator[str]:
        """The ledger says what was counted, of which article and why."""
        if reply.status != 303:
            yield f"{reply.status}, and {changes.keys()} changed"
        was, now = changes["ledger"]
        fresh = [fields for _, fields in now[0][len(was[0]) :]]
        if len(fresh) != 1:
            yield f"{len(fresh)} entries in the ledger"
        entry = fresh[0]
        for key in changes.keys() - {"ledger", "due", "metrics"}:
            if not key.startswith(("stock:", "restock:")):
                yield f"{key} changed"
        if exact:
            delta = int(entry["quantity"]) * (1 if entry["target"] == "available" else -1)
            told = (entry["sku"], str(delta), entry["why"])
            if told != (sent["sku"], str(int(sent["delta"])), sent["reason"].strip()):
                yield f"{told} was counted"
