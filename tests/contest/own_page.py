"""A shopper on the shop's own payment page, who sends Stripe what its script would send."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from tests.contest.crowd import ACTS, Act, Fate, in_time, went_through
from tests.contest.shopper import PATIENCE_SECONDS, Shopper
from tests.harness import wait_until
from tests.web.browsing import read

KEY = "pk_test_of_the_contest"


def card(number: str) -> dict[str, str]:
    fields = {"number": number, "exp_month": "12", "exp_year": "2034", "cvc": "123"}
    return method("card", fields)


def bank(number: str) -> dict[str, str]:
    fields = {"routing_number": "110000000", "account_holder_type": "individual"}
    return method("us_bank_account", {"account_number": number, **fields})


def method(kind: str, fields: dict[str, str]) -> dict[str, str]:
    """A means of payment as Stripe.js sends it."""
    data = {f"payment_method_data[{kind}][{name}]": value for name, value in fields.items()}
    return {"payment_method_data[type]": kind, **data}


METHODS = {
    "pay": card("4242424242424242"),
    "decline": card("4000000000000002"),
    "delayed_succeed": bank("000123456789"),
    "delayed_fail": bank("000222222227"),
}
STATUSES = {200: 303, 402: 402, 400: 409}
"""What Stripe's answer to a confirmation means in the words of its own payment page."""


@dataclass(frozen=True)
class Form:
    """What the payment page tells its script."""

    intent: str
    secret: str
    back: str
    seconds: float
    """How long the hold lasts."""
    until: float
    """When it ends, by this process' own clock."""


class OwnPageShopper(Shopper):
    """Pays with Stripe's fields in the shop's page."""

    stripe = ""
    """Where Stripe's API is."""

    def __init__(self, shop: str, name: str = "ada") -> None:
        super().__init__(shop, name)
        self._forms: dict[str, Form] = {}

    def order_link(self, pay_url: str) -> str:
        """The order's page; where nothing can be paid any more, the payment page leads there."""
        answer = self.get(pay_url)
        if answer.status_code == 303:
            return answer.headers["Location"]
        assert answer.status_code == 200, answer.text[:500]
        told = read(answer.text).one("form", id="payment").attributes
        seconds = (int(told["data-until"]) - int(told["data-now"])) / 1000
        self._forms[pay_url] = Form(
            told["data-payment-intent"],
            told["data-client-secret"],
            told["data-back"],
            seconds,
            time.monotonic() + seconds,
        )
        return told["data-back"]

    def seconds_left(self, pay_url: str) -> float:
        form = self._forms.get(pay_url)
        return form.until - time.monotonic() if form else 0

    def pay(
        self, pay_url: str, fate: str = "pay", webhooks: str = "normal", seconds: float = 5
    ) -> requests.Response:
        """What follows is told in the words of Stripe's own page: 303, 402 or 409."""
        form = self._forms.get(pay_url)
        if form is None:  # the hold was over before the page could be seen
            over = requests.Response()
            over.status_code = 409
            return over
        answer = requests.post(
            f"{self.stripe}/v1/payment_intents/{form.intent}/confirm",
            data={
                "key": KEY,
                "client_secret": form.secret,
                "return_url": form.back,
                "receipt_email": self.email,
                "standin[webhooks]": webhooks,
                "standin[delay_seconds]": str(seconds),
                "payment_method_data[billing_details][email]": self.email,
                **METHODS[fate],
            },
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status_code in STATUSES, answer.text[:800]
        answer.status_code = STATUSES[answer.status_code]
        return answer


def pay_in_two_tabs(shopper: Shopper, pay_url: str, _link: str, webhooks: str) -> None:
    """Both are sent at once; one pays, and the other is told that it is paid."""
    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda _: shopper.pay(pay_url, "pay", webhooks, 3), range(2)))
    if {answer.status_code for answer in answers} == {409}:
        in_time(answers[0])
    assert 303 in [answer.status_code for answer in answers]


def try_too_late(shopper: Shopper, pay_url: str, link: str, webhooks: str) -> None:
    """The shop has cancelled the PaymentIntent: whoever left the page open can not pay it."""
    wait_until(lambda: shopper.order(link)["state"] == "released", "the hold has ended")
    assert shopper.pay(pay_url, "pay", webhooks, 3).status_code == 409


def race_the_deadline(shopper: Shopper, pay_url: str, _link: str, webhooks: str) -> None:
    """Sent just when the hold ends: it is paid, or nothing is taken."""
    assert isinstance(shopper, OwnPageShopper)
    wait_until(lambda: shopper.seconds_left(pay_url) <= 0, "the deadline")
    answer = shopper.pay(pay_url, "pay", webhooks, 3)
    if answer.status_code != 409:
        went_through(answer)


WAYS: dict[str, Act] = ACTS | {
    "pay in two tabs": pay_in_two_tabs,
    "try too late": try_too_late,
    "race the deadline": race_the_deadline,
}
INSTEAD = {"pay too late": "try too late", "race the end": "race the deadline"}


def on_the_own_page(deck: list[Fate]) -> list[Fate]:
    """The same fates where Stripe's page would take what the shop's own can not."""
    return [
        Fate("pay in two tabs"),
        *(Fate(INSTEAD.get(f.act, f.act), f.webhooks, f.returns) for f in deck),
        Fate("pay in two tabs", "lost"),
    ]
