"""Every form that the shop shows, found by walking through its pages, with what it would send."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from storefront.domain.orders import State
from storefront.services import links
from tests.fuzz.encodings import URLENCODED, urlencoded
from tests.fuzz.matters import prepare
from tests.fuzz.stage import HOST, Stage
from tests.web.browsing import Element, read

Pairs = tuple[tuple[str, str], ...]

MOST_PAGES = 30
"""Of one kind are walked through."""
UNREAD = ("live.", "static", "health.", "dev.")
"""What is no page, or never ends."""
LIST = "sku,delta,reason\nzine,2,found\n"
LOOKS = frozenset(
    {
        "admin.account.set_up",
        "admin.privacy.look",
        "admin.refunds.look",
        "admin.restock_list.look",
    }
)
"""Forms whose answer is a page with another form, and what is typed into them."""
TYPED = {
    "admin.privacy.look": {"email": "ada@example.com"},
    "admin.refunds.look": {"whole": "1", "to": "available", "reason": "torn"},
    "admin.restock_list.look": {"text": LIST},
}
WEBHOOK = "webhooks.stripe"
"""No form; thrown at in kinds of its own."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page."""

    endpoint: str
    path: str
    pairs: Pairs
    """What it sends as it stands, but for its CSRF token."""
    files: tuple[str, ...] = ()
    """The names of its files."""
    boxes: frozenset[str] = frozenset()
    """What is sent only where it is ticked."""
    state: str = ""
    """Of the order that it is about."""
    shown: bool = True
    """Whether a page shows it so."""


def posts(app: Flask) -> set[str]:
    """Every endpoint that takes a form."""
    return {r.endpoint for r in app.url_map.iter_rules() if "POST" in (r.methods or ())} - {WEBHOOK}


def walk(stage: Stage) -> list[Form]:
    """Every form, once for each set of its fields and each state of the order that it is about.

    Looking at a page leaves nothing, not even what the shop learnt of Stripe for it.
    """
    prepare(stage)
    stage.keep()
    found: dict[object, Form] = {}
    hidden = (replace(form, shown=False) for form in unshown(stage))
    for form in [*Walk(stage).forms(), *hidden]:
        key = (form.endpoint, tuple(name for name, _ in form.pairs), form.state, form.files)
        found.setdefault(key, form)
    return list(found.values())


def state_of(stage: Stage, order_id: str) -> str:
    """What tells an order from others, for its forms."""
    order = stage.order(order_id)
    late = "late" if order.deadline < stage.shop.store.now() else "in time"
    return f"{order.state} {order.form} {order.way} {late}"


def unshown(stage: Stage) -> Iterator[Form]:
    """Forms for orders whose pages do not show them, as somebody has them from before."""
    for token, order in stage.tokens.items():
        state = state_of(stage, order)
        yield Form("orders.extend", f"/orders/{token}/extend", (), state=state)
        address = {"name": "Ada", "line1": "1 Way", "city": "Bonn", "postal_code": "53111"}
        way = (("way", "delivery"), ("country", "DE"), *address.items())
        yield Form("pay.send", f"/pay/{token}", way, state=state)
        admin = f"/admin/orders/{order}"
        key = ("key", "form-00000001")
        yield Form("admin.orders.mark_sent", f"{admin}/sent", (key,), state=state)
        undone = (("key", "fuzz-0004"),)
        yield Form("admin.orders.unmark_sent", f"{admin}/sent/undo", undone, state=state)
        if stage.order(order).state is State.PAID:
            again = (key, ("kind", "confirmed"))
            yield Form("admin.orders.send_again", f"{admin}/mails", again, state=state)
        yield Form("admin.holds.release", "/admin/holds/release", (("order", order),), state=state)
    yield Form("admin.account.set_up", "/admin/account/codes", ())
    yield Form("admin.account.confirm", "/admin/account/codes/confirm", (("code", ""),))
    yield Form("admin.login.enter", "/admin/login", (("password", ""), ("code", "")))


class Walk:
    """Follows links, as the operator and as a visitor."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._rules = stage.app.url_map.bind(HOST)
        self._seen: set[str] = set()
        self._pages: Counter[str] = Counter()

    def forms(self) -> Iterator[Form]:
        settings = self._stage.shop.settings
        visited = ["/", "/orders", "/bag", "/admin/login"]
        visited += [f"/orders/{token}" for token in self._stage.tokens]
        places = self._stage.shop.store.waitlist.all()
        visited += [f"/waitlist/{links.place_token(settings, place.id)}" for place in places]
        yield from self._follow(visited, self._stage.visitor)
        visited = ["/admin/", "/admin/count?sku=zine&counted=90&pile=all", "/admin/ledger"]
        for order in self._stage.tokens.values():
            visited.append(f"/admin/orders/{order}")
            visited.append(f"/admin/pickup/{links.pickup_token(settings, order)}")
            visited += [
                f"/admin/pickup/{links.pickup_token(settings, order)}?done={one.key}"
                for one in self._stage.order(order).handovers
            ]
        yield from self._follow(visited, self._stage.operator)

    def _follow(self, addresses: list[str], who: tuple[str, str]) -> Iterator[Form]:
        cookie, token = who
        while addresses:
            address = addresses.pop(0)
            path, _, query = address.partition("?")
            endpoint = self._endpoint(path, "GET")
            known = (cookie, address) in self._seen or self._pages[cookie + endpoint] >= MOST_PAGES
            if not endpoint or known or endpoint.startswith(UNREAD):
                continue
            self._seen.add((cookie, address))
            self._pages[cookie + endpoint] += 1
            reply = self._stage.send("GET", path, {"Cookie": cookie}, query=query)
            self._stage.restore()
            if reply.status == 303:
                addresses.append(urlsplit(reply.headers["Location"]).path)
            elif "html" in reply.headers.get("Content-Type", ""):
                page = read(reply.text)
                addresses += [self._local(a.attributes.get("href", "")) for a in page.all("a")]
                for form in self._on(page):
                    yield form
                    yield from self._looked(form, cookie, token)

    def _looked(self, form: Form, cookie: str, token: str) -> Iterator[Form]:
        """The forms of the page with which a form is answered."""
        if form.endpoint in LOOKS:
            typed = {**dict(form.pairs), **TYPED.get(form.endpoint, {}), "csrf_token": token}
            headers = {"Cookie": cookie, "Content-Type": URLENCODED}
            reply = self._stage.send("POST", form.path, headers, urlencoded([*typed.items()]))
            self._stage.restore()
            if reply.status == 200:
                yield from self._on(read(reply.text))

    def _on(self, page: Element) -> Iterator[Form]:
        for form in page.all("form", method="post"):
            others = [b.attributes.get("formaction") for b in form.all("button")]
            files = tuple(
                one.attributes["name"] for one in form.all("input", type="file") if one.attributes
            )
            ticked = form.all("input", type="checkbox")
            boxes = frozenset(one.attributes.get("name", "") for one in ticked)
            pairs = tuple(pair for pair in sends(form) if pair[0] not in files)
            for address in (form.attributes["action"], *filter(None, others)):
                path = self._local(address)
                endpoint = self._endpoint(path, "POST")
                yield Form(endpoint, path, pairs, files, boxes, self._state(path, pairs))

    def _state(self, path: str, pairs: Pairs) -> str:
        """The state of the order that stands in an address or in a field."""
        named = {*path.split("/"), *dict(pairs).values()}
        for token, order in self._stage.tokens.items():
            pickup = links.pickup_token(self._stage.shop.settings, order)
            if {token, order, pickup} & named:
                return state_of(self._stage, order)
        return ""

    def _local(self, address: str) -> str:
        """Path and query, when it is an address of this shop."""
        parts = urlsplit(address)
        own = parts.netloc in {"", HOST} and parts.path.startswith("/")
        return parts.path + (f"?{parts.query}" if parts.query else "") if own else ""

    def _endpoint(self, path: str, method: str) -> str:
        """Who answers there; empty when nobody does."""
        try:
            return str(self._rules.match(path.partition("?")[0], method=method)[0])
        except (HTTPException, RequestRedirect):
            return ""


def sends(form: Element) -> Iterator[tuple[str, str]]:
    """What a form sends as it stands, each of its buttons and choices included, but for its token.

    A number that the page drew for this form alone is always the same one here.
    """
    for field in form.all():
        a = field.attributes
        if "name" not in a or a["name"] == "csrf_token":
            continue
        if a["name"] in {"key", "token"} and not a.get("value", "").startswith("fuzz-"):
            yield a["name"], "form-00000001"
        elif field.tag in {"input", "button"}:
            yield a["name"], a.get("value", "on" if a.get("type") == "checkbox" else "")
        elif field.tag == "textarea":
            yield a["name"], field.words
        elif field.tag == "select":
            chosen = field.all("option", selected="") or field.all("option")[:1]
            for option in chosen:
                yield a["name"], option.attributes.get("value", option.words)
