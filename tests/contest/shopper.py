"""A shopper with cookies of his own and no scripts, over real HTTP."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import requests

from tests.web.browsing import Element, read

PATIENCE_SECONDS = 60


class NothingToGiveBack(Exception):
    """The order's page offers no way to cancel: nothing is held any more."""


class Shopper:
    """Reads pages, sends the forms that stand in them, and pays."""

    def __init__(self, shop: str, name: str = "ada") -> None:
        self.shop = shop
        self.email = f"{name}@customer.example"
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str) -> requests.Response:
        """What is at this address of the shop; a redirection is not followed."""
        return self._ask("GET", path)

    def post(self, path: str, data: Any = None, **options: Any) -> requests.Response:
        return self._ask("POST", path, data=data, **options)

    def page(self, path: str) -> Element:
        """The page there, which must be one."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return read(answer.text)

    def form(self, slug: str) -> dict[str, str]:
        """The fields of a product's form to buy."""
        return self.page(f"/products/{slug}").one("form", id="buy").fields

    def send(self, form: Mapping[str, str], **changed: str) -> requests.Response:
        """Sends a form to buy."""
        return self.post("/checkout", {**form, **changed})

    def buy(self, slug: str, quantity: int = 1) -> requests.Response:
        """Asks for so many."""
        return self.send(self.form(slug), quantity=str(quantity))

    def hold(self, slug: str, quantity: int = 1) -> str:
        """The address of the payment page for so many, which must be there for him."""
        return paying(self.buy(slug, quantity))

    def pay(
        self, pay_url: str, fate: str = "pay", webhooks: str = "normal", seconds: float = 5
    ) -> requests.Response:
        """Fills in the payment page; it leads back to the shop when the payment went through."""
        filled = {"email": self.email, "fate": fate, "webhooks": webhooks}
        return self.post(pay_url, {**filled, "delay_seconds": str(seconds)})

    def order_link(self, pay_url: str) -> str:
        """The order's page, as the payment page's way back names it."""
        page = self.page(pay_url)
        return page.one("a", id="back").attributes["href"]

    def order(self, link: str) -> dict[str, Any]:
        """How the order stands."""
        answer = self.get(f"{link}.json")
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:500]}"
        found: dict[str, Any] = answer.json()
        return found

    def cancel_form(self, link: str) -> tuple[str, dict[str, str]]:
        """Where the order page's form to give the units back goes, and its fields."""
        form = next(
            f for f in self.page(link).all("form") if f.attributes["action"].endswith("/cancel")
        )
        return form.attributes["action"], form.fields

    def cancel(self, link: str) -> requests.Response:
        """Gives the units back."""
        action, fields = self.cancel_form(link)
        return self.post(action, fields)

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request on a connection of its own: a kept one may close just as it is used again."""
        try:
            return self.session.request(
                method,
                urljoin(self.shop, path),
                timeout=PATIENCE_SECONDS,
                allow_redirects=False,
                **options,
            )
        finally:
            self.session.close()


def paying(answer: requests.Response) -> str:
    """The payment page that a checkout leads to."""
    assert answer.status_code == 303, f"{answer.status_code} {answer.text[:800]}"
    return answer.headers["Location"]
