"""Every form that the shop has, as its pages show it, with something of it changed on the way.

An answer that says no changes nothing. What is done is done by who may do it, for what a form can say,
and only where this form writes.
"""

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

from storefront.domain.orders import State
from storefront.services import links
from tests.books import broken
from tests.fuzz.encodings import encoded, multipart
from tests.fuzz.forms import Forms
from tests.fuzz.groups import Attack, Found, chance_of
from tests.fuzz.shown import ANOTHER, LIST, Form, one_time_code, walk
from tests.fuzz.stage import PASSWORD, Reply, Stage

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
FILES = (
    *(
        PICTURE,
        LIST.encode(),
        PICTURE[:40],
        PICTURE[::-1],
        b"",
        b"<svg onload=x />",
        b"GIF89a" + b"\xff" * 90,
    ),
    *(b"\xff\xd8\xff\xe0" + b"\x00" * 200, b"sku,delta\nzine," + b"9" * 5000, b"\xff\xfea\x00"),
)
FILLED = {
    "password": PASSWORD,
    "text": "Rang at nine.",
    "delta": "2",
    "units": "1",
    "quantity": "1",
    "reason": "found",
    "name": "Thing",
    "slug": "thing",
    "sku-0": "thing-1",
    "price-0": "10.00",
    "stock-0": "3",
    "amount": "1.00",
}
"""What somebody types into a field that is empty."""
TYPED = {
    "quantity": r"[0-9]{1,6}",
    "delta": r"-?[0-9]{1,6}",
    "units": r"[0-9]{1,6}",
    "units-": r"[0-9]{0,6}",
    "counted": r"[0-9]{1,6}",
    "minor": r"[0-9]{1,14}",
    "key": r"[A-Za-z0-9_-]{8,128}|",
    "token": r"[A-Za-z0-9_-]{8,128}|",
    "email": r"\s*[^@\s]+@[^@\s]+\s*|",
    "max_per_order": r"\s*([0-9]{1,6})?\s*",
}
"""What a field can say; nothing is done for anything else."""
STOCK = "stock ledger due restock"
ORDER = "order states due ledger units"
HELD = "hold holds returns visitors addresses stock orders mailboxes places waiting sales"
"""What is written when units come free: somebody in line may be offered them."""
GOODS = "catalogue due stock ledger"
MAY: Mapping[str, str] = {
    **{f"admin.account.{name}": "account" for name in ("confirm", "renew_recovery", "set_up")},
    **{f"admin.account.{name}": "account" for name in ("sign_out", "switch_off")},
    **{f"admin.{name}": f"{STOCK} {ORDER} {HELD}" for name in ("counting.correct", "stock.change")},
    **{f"admin.{name}": f"{STOCK} {ORDER} {HELD}" for name in ("restock_list.carry_out",)},
    "admin.undoing.undo": f"{STOCK} undone",
    **{f"admin.links.{name}": "link links stock ledger due units" for name in ("make", "close")},
    "admin.orders.note": "order",
    "admin.orders.send_again": "due order",
    **{f"admin.orders.{name}": ORDER for name in ("mark_sent", "unmark_sent", "resume")},
    **{f"admin.pickup.{name}": "order states due ledger" for name in ("hand", "scan", "undo")},
    "admin.pictures.send": "catalogue due",
    **{f"admin.products.{name}": GOODS for name in ("create", "save", "move", "put")},
    "admin.privacy.forget": f"{ORDER} {HELD}",
    "admin.refunds.send": f"{ORDER} {HELD}",
    "admin.stall.sell": f"{ORDER} {HELD} payments",
    "admin.waitlist.stop": f"{ORDER} {HELD}",
    "admin.holds.release": f"{ORDER} {HELD}",
    "checkout.begin": f"{ORDER} {HELD}",
    "orders.ask": "asked due",
    "orders.cancel": f"{ORDER} {HELD}",
    "waitlist.act": f"{ORDER} {HELD}",
    "waitlist.join": "places place due",
}
"""What a form writes, by the beginnings of the keys."""
ALL = frozenset({"admin.privacy.forget"})
"""Forms that are about more than one order."""
TRIES = frozenset({"metrics", "account"})
"""What a try at the password may change: that there was one."""
TRYING = frozenset({"admin.login.enter", "admin.account.switch_off"})


class EveryForm(Forms):
    """Posts what the pages' own forms would send, changed."""

    def __init__(self, stage: Stage) -> None:
        Attack.__init__(self, stage)
        self._orders = {order.id: order for order in stage.shop.store.orders.walk()}
        self.forms = walk(stage)
        self.kinds = sorted({form.endpoint for form in self.forms})
        stage.keep()

    def play(self, seed: int) -> None:
        chance = chance_of(seed)
        # Each endpoint as often as another, however many pages show it.
        endpoint = self.kinds[seed % len(self.kinds)]
        form = chance.choice([form for form in self.forms if form.endpoint == endpoint])
        ours = form.path.startswith("/admin")
        stranger = ours and chance.random() < 0.06  # whose form is right, but for who sends it
        who = self.stage.operator if ours and not stranger else self.stage.visitor
        cookie, csrf = who
        pairs = [("csrf_token", csrf), *self._filled(form, chance)]
        right = tuple(pairs)
        if chance.random() < 0.7:
            pairs = self._changed(pairs, chance)
        kind, body, exact = encoded(pairs, chance)
        if form.files and chance.random() < 0.8:
            kind, body, exact = _with_file(form, pairs, chance)
        exact = exact and not any("\ud800" in part for pair in pairs for part in pair)
        headers = {"Content-Type": kind, "Cookie": cookie}
        if chance.random() < 0.05:
            headers["Cookie"] = chance.choice((self.stage.operator, self.stage.visitor, ("",)))[0]
        if chance.random() < 0.5:
            headers["Origin"] = chance.choice(("http://shop.example", "http://other.example"))
        reply = self.stage.send("POST", form.path, headers, body)
        sent = f"{form.endpoint} {form.path} {headers} {body[:2500]!r}"
        try:
            self.harmless(reply, sent)
            self.outcomes[f"{form.endpoint} {reply.status}"] += 1
            able = not ours or headers["Cookie"] == self.stage.operator[0]
            wrong = list(self._judged(form, pairs, reply, exact=exact, able=able))
            if tuple(pairs) == right and able and exact:
                self.outcomes[f"{form.endpoint} as it stands {reply.status}"] += 1
            if wrong:
                raise Found("\n".join([*wrong, f"{reply.status} for {sent}"]))
        finally:
            self.stage.restore()

    def _filled(self, form: Form, chance: random.Random) -> list[tuple[str, str]]:
        """What somebody sends who fills the form in: of several choices of a name, one."""
        choices: dict[str, list[str]] = {}
        for name, value in form.pairs:
            choices.setdefault(name, []).append(value)
        pairs = [
            (name, chance.choice(values))
            for name, values in choices.items()
            if name not in form.boxes or chance.random() < 0.3
        ]
        typed = {**FILLED, "email": chance.choice(("ada@example.com", "dan@example.com"))}
        typed["code"] = one_time_code(self.stage.seed)
        match form.endpoint:
            case "admin.account.confirm":
                typed["code"] = one_time_code(ANOTHER)
            case "admin.pickup.scan":
                paid = [o.id for o in self._orders.values() if o.state is State.PAID]
                order = chance.choice([*paid * 5, *self._orders])
                typed["code"] = links.pickup(self.stage.shop.settings, order)
            case "admin.restock_list.look" | "admin.restock_list.carry_out":
                typed["text"] = LIST
        for name, value in pairs:
            if name.startswith("units-") and not value:
                typed[name] = chance.choice(("", "", "1"))
        return [(name, value or typed.get(name, "")) for name, value in pairs]

    def _judged(
        self, form: Form, pairs: list[tuple[str, str]], reply: Reply, *, exact: bool, able: bool
    ) -> Iterator[str]:
        """Everything that this form did and must not have done, one sentence each."""
        if b"<i>fuzz" in reply.body and "html" in reply.headers.get("Content-Type", ""):
            yield "what was sent stands in the page as markup"
        if "X-Fuzzed" in reply.headers or any("\n" in value for value in reply.headers.values()):
            yield "what was sent became a header"
        if self.stage.untouched():
            return
        changes = self.stage.changes()
        changed = {key.partition(":")[0] for key in changes} - {"metrics"}
        tried = reply.status >= 400 and form.endpoint in TRYING
        if tried or form.endpoint == "admin.login.enter":
            changed -= TRIES
        if not changed:
            return
        self.outcomes[f"{form.endpoint} done"] += 1
        if reply.status >= 400:
            yield f"the answer is no, and {sorted(changes)} changed"
        if not able:
            yield "a stranger did what only the operator may do"
        sent = dict(reversed(pairs))  # of several with one name, the first counts
        tokens = (self.stage.operator[1], self.stage.visitor[1])
        if exact and sent.get("csrf_token") not in tokens:
            yield "something was done without the form's token"
        for name in dict(form.pairs).keys() & sent if exact else ():
            pattern = TYPED.get("units-" if name.startswith("units-") else name, ".*")
            if not re.fullmatch(pattern, sent[name], re.DOTALL):
                yield f"something was done for {name} {sent[name]!r}"
        if more := changed - set(MAY.get(form.endpoint, "").split()):
            yield f"{sorted(more)} changed"
        if form.endpoint not in ALL:
            yield from self._others(form, sent, changes)
        yield from broken(self.stage.shop.store)

    def _others(
        self, form: Form, sent: Mapping[str, str], changes: Mapping[str, tuple[Any, Any]]
    ) -> Iterator[str]:
        """Orders that were there before and that the form is not about."""
        named = {sent.get("order", ""), sent.get("code", "").strip(), *form.path.split("/")}
        settings = self.stage.shop.settings
        for order in self._orders:
            token, pickup = links.token(settings, order), links.pickup(settings, order)
            own = {order, token, pickup, links.pickup_token(settings, order)} & named
            if not own and f"order:{order}" in changes:
                yield f"{order} changed, which the form is not about"


def _with_file(
    form: Form, pairs: list[tuple[str, str]], chance: random.Random
) -> tuple[str, bytes, bool]:
    """The form as a browser sends it with files; the last part is no field."""
    body = multipart(pairs, "b").removesuffix(b"--b--\r\n")
    for name in form.files:
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n'
        content = chance.choice(FILES)
        if chance.random() < 0.3:
            content = content[: chance.randrange(len(content) + 1)]
        body += head.encode() + b"Content-Type: image/png\r\n\r\n" + content + b"\r\n"
    return "multipart/form-data; boundary=b", body + b"--b--\r\n", True
