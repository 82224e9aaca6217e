"""Every form that the shop has, as its pages show it, with something of it changed on the way.

An answer that says no changes nothing. What is done is done by who may do it, for what a form can say,
and only where this form writes.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from storefront.domain.orders import State
from storefront.services import links
from tests.books import broken
from tests.fuzz.allowed import ALL, LATER, MAY, NOTES, OPEN, TRIES, TRYING, TYPED
from tests.fuzz.cookies import noted
from tests.fuzz.encodings import encoded, multipart
from tests.fuzz.forms import Forms
from tests.fuzz.groups import Attack, Found, chance_of
from tests.fuzz.matters import ANOTHER, RATE, let_the_phone_go, one_time_code
from tests.fuzz.shown import LIST, Form, walk
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
    "line1": "1 Way",
    "postal_code": "53111",
    "city": "Bonn",
}
"""What somebody types into a field that is empty."""


class EveryForm(Forms):
    """Posts what the pages' own forms would send, changed."""

    def __init__(self, stage: Stage) -> None:
        Attack.__init__(self, stage)
        self.forms = walk(stage)
        self.kinds = sorted({form.endpoint for form in self.forms})
        self._orders = {order.id: order for order in stage.shop.store.orders.walk()}
        self._names = {order: frozenset(self._names_of(order)) for order in self._orders}
        self._now = stage.keep()
        let_the_phone_go(stage)
        self._later = stage.keep()

    def play(self, seed: int) -> None:
        chance = chance_of(seed)
        # Each endpoint as often as another, however many pages show it.
        endpoint = self.kinds[seed % len(self.kinds)]
        shown = chance.random() < 0.7
        forms = [form for form in self.forms if form.endpoint == endpoint]
        form = chance.choice([form for form in forms if form.shown and shown] or forms)
        self.stage.begin_with(self._later if endpoint in LATER else self._now)
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
            able = not ours or form.endpoint in OPEN or headers["Cookie"] == self.stage.operator[0]
            wrong = list(
                self._judged(form, pairs, headers["Cookie"], reply, exact=exact, able=able)
            )
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
        self,
        form: Form,
        pairs: list[tuple[str, str]],
        who: str,
        reply: Reply,
        *,
        exact: bool,
        able: bool,
    ) -> Iterator[str]:
        """Everything that this form did and must not have done, one sentence each.

        ``who`` is the cookie that it was sent with.
        """
        if b"<i>fuzz" in reply.body and "html" in reply.headers.get("Content-Type", ""):
            yield "what was sent stands in the page as markup"
        if "X-Fuzzed" in reply.headers or any("\n" in value for value in reply.headers.values()):
            yield "what was sent became a header"
        changes, written = self._changes(form, reply)
        cookie = noted(self.stage.app, who, reply)
        if not (written or cookie):
            return
        self.outcomes[f"{form.endpoint} done"] += 1
        if reply.status >= 400:
            yield f"the answer is no, and {sorted({*changes, *cookie})} changed"
        if not able:
            yield "a stranger did what only the operator may do"
        sent = dict(reversed(pairs))  # of several with one name, the first counts
        token = dict((self.stage.operator, self.stage.visitor)).get(who)
        if exact and (token is None or sent.get("csrf_token") != token):
            yield "something was done without the form's token"
        for name in dict(form.pairs).keys() & sent.keys() - _unread(form, sent) if exact else ():
            pattern = TYPED.get("units-" if name.startswith("units-") else name, ".*")
            if not re.fullmatch(pattern, sent[name], re.DOTALL):
                yield f"something was done for {name} {sent[name]!r}"
        if more := written - set(MAY.get(form.endpoint, "").split()):
            yield f"{sorted(more)} changed"
        if more := cookie - set(NOTES.get(form.endpoint, "").split()):
            yield f"{sorted(more)} changed in the cookie"
        if written and form.endpoint not in ALL:
            yield from self._others(form, sent, changes)
        if written:
            yield from broken(self.stage.shop.store)
        if written and exact and form.endpoint == "pay.send":
            yield from self._sent(form, sent)

    def _changes(self, form: Form, reply: Reply) -> tuple[Mapping[str, tuple[Any, Any]], set[str]]:
        """Each key that was written, and the beginnings of those that say that something was done."""
        if self.stage.untouched():
            return {}, set()
        changes = self.stage.changes()
        written = {key.partition(":")[0] for key in changes} - {"metrics"}
        tried = reply.status >= 400 and form.endpoint in TRYING
        if tried or form.endpoint == "admin.login.enter":
            written -= TRIES
        return changes, written

    def _others(
        self, form: Form, sent: Mapping[str, str], changes: Mapping[str, tuple[Any, Any]]
    ) -> Iterator[str]:
        """Orders that were there before and that the form is not about."""
        named = {sent.get(name, "").strip() for name in ("order", "code", "place")}
        named |= {*form.path.split("/")}
        for order, names in self._names.items():
            if not names & named and f"order:{order}" in changes:
                yield f"{order} changed, which the form is not about"

    def _sent(self, form: Form, sent: Mapping[str, str]) -> Iterator[str]:
        """The order goes where its form said, and costs as much at Stripe as that comes to."""
        order = self.stage.order(self.stage.tokens[form.path.split("/")[2]])
        wanted = {name: sent.get(name, "").strip() for name in ("name", "line1", "city", "country")}
        told = asdict(order.recipient) if order.recipient else {}
        if sent["way"] != "delivery":
            wanted = {}
        if (
            order.way != sent["way"]
            or {name: told[name] for name in told.keys() & wanted} != wanted
        ):
            yield f"it is {order.way} to {told}"
        amount = order.goods + (RATE if wanted else 0)
        if self.stage.stripe.intents[order.session]["amount"] != amount:
            yield f"its payment is not of {amount}"

    def _names_of(self, order: str) -> Iterator[str]:
        """What a form says to be about this order."""
        settings = self.stage.shop.settings
        yield from (order, links.token(settings, order), links.pickup(settings, order))
        yield links.pickup_token(settings, order)
        for place in self.stage.shop.store.waitlist.all():
            if order in place.offers:
                yield from (place.id, links.place_token(settings, place.id))


def _unread(form: Form, sent: Mapping[str, str]) -> set[str]:
    """Fields that say nothing here, whatever stands in them."""
    if form.endpoint != "bag.change":
        return set()
    return {"token", *(["quantity"] if sent.get("remove") == "1" else [])}


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
