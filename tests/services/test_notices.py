"""Each mail says what is true of its order, once it can be sent, and shows nobody's data elsewhere."""

import io
import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import fakeredis
import pytest
from PIL import Image

from storefront.clients.mail import Mailer, MailerBusy
from storefront.domain.errors import MailRefused
from storefront.domain.orders import Order, Refund, State
from storefront.domain.payments import RefundFact
from storefront.domain.products import Product, Variant
from storefront.services import (
    checkout,
    links,
    notice_texts,
    notices,
    refunds,
    review_text,
    settlement,
    work,
)
from storefront.services.notice_parts import (
    Button,
    Facts,
    Heading,
    Lines,
    Notice,
    Paragraph,
    Part,
    Picture,
    Steps,
)
from storefront.services.shop import Shop
from storefront.settings import load_settings
from storefront.storage.store import open_store
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe
from tests.harness import free_port

ADA = "ada@customer.example"
POSTER = "Opening night <poster> & friends, printed by hand in the foyer (Red)"

Sent = list[EmailMessage]


@pytest.fixture
def open_it(tmp_path: Path) -> Callable[..., Shop]:
    """A shop that has 5 posters at 25.00, some of its settings changed."""
    redis = fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 0)), decode_responses=True)

    def open_it(**changes: str) -> Shop:
        environ = {
            "SECRET_KEY": "the-tests-own-key",
            "PUBLIC_URL": "https://moth.example",
            "SHOP_ID": "moth",
            "SHOP_NAME": "The Night Moth",
            "STRIPE_SECRET_KEY": "sk_test_x",
            "MAIL_FROM": "shop@moth.example",
            **changes,
        }
        settings = load_settings(environ, tmp_path / "instance")
        store = open_store(redis, settings.shop_id)
        product = Product(
            "poster", POSTER.removesuffix(" (Red)"), (Variant("red", 2500, {"colour": "Red"}),)
        )
        store.scripts.publish_catalogue(
            {"poster": json.dumps(product.to_json())}, {"red": 5}, version="1", who="test"
        )
        mailer = Mailer("", settings.mail_from, settings.instance / "mail")
        return Shop(settings=settings, store=store, stripe=FakeStripe(now=store.now), mailer=mailer)

    return open_it


@pytest.fixture
def shop(open_it: Callable[..., Shop]) -> Shop:
    return open_it()


def sent(shop: Shop) -> Sent:
    """The mails that went out, oldest first."""
    files = sorted((shop.settings.instance / "mail").glob("*.eml"))
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [mail for mail in found if isinstance(mail, EmailMessage)]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def words_of(mail: EmailMessage) -> str:
    """The text on one line, as a reader takes it in."""
    return " ".join(text_of(mail).split())


def said(part: Part) -> list[tuple[str, str]]:
    """What the text and what the HTML must say for a part, each on one line."""
    match part:
        case Paragraph(text) | Heading(text):
            told = [(text, text)]
        case Steps(items):
            told = [(step, step) for step in items]
        case Facts(rows):
            told = [(f"{name}: {value}", f"{name} {value}") for name, value in rows]
        case Button(label, link):
            told = [(f"{label}: {link}", label)]
        case Picture():
            told = [(f"{part.shows}: {part.instead}", "")]
        case Lines(rows, parts, total):
            told = [(f"Total: {total}", f"Total {total}")]
            told += [(f"{name}: {amount}", f"{name} {amount}") for name, amount in parts]
            told += [(f"{line.name}, {line.each} each: {line.total}", line.name) for line in rows]
    return [(" ".join(text.split()), " ".join(html.split())) for text, html in told]


def sentences(notice: Notice | None) -> list[str]:
    """The paragraphs of a notice that there is."""
    assert notice is not None
    return [part.text for part in notice.parts if isinstance(part, Paragraph)]


def fresh(shop: Shop, order: Order) -> Order:
    found = shop.store.orders.get(order.id)
    assert found is not None
    return found


def begin(shop: Shop, quantity: int = 2, visitor: str = "v1") -> Order:
    return checkout.begin(
        shop, visitor=visitor, address="a1", form_token=f"t-{visitor}", wanted={"red": quantity}
    ).order


def buy(shop: Shop, *, email: str = ADA, quantity: int = 2, visitor: str = "v1") -> Order:
    """A paid order, whose shopper gave Stripe this address."""
    order = begin(shop, quantity, visitor)
    assert shop.stripe.pay(order.session, email=email)
    settlement.ask(shop, order)
    order = fresh(shop, order)
    assert order.state is State.PAID
    return order


def buy_silently(shop: Shop) -> Order:
    """A paid order, whose address the shop has not heard yet."""
    order = begin(shop)
    assert shop.stripe.pay(order.session, email=ADA)
    shop.store.scripts.settle_payment(
        order.id, payment_intent="pi_1", session=order.session, amount=order.amount, email=""
    )
    return fresh(shop, order)


def give_back(
    shop: Shop, order: Order, amount: int, status: str = "succeeded", refund: str = "re_1"
) -> Order:
    """Stripe tells of a refund."""
    fact = RefundFact(refund, order.payment_intent, amount, status, order.id, "moth")
    refunds.record(shop, order, fact)
    return fresh(shop, order)


def send(shop: Shop, kind: str, order: Order, refund_id: str = "") -> EmailMessage:
    """The one mail that this sends."""
    before = len(sent(shop))
    assert notices.send_when_due(shop, kind, order.id, refund_id) is None
    [mail] = sent(shop)[before:]
    return mail


# Every mail.


def test_a_paid_order_is_confirmed_with_all_that_was_bought(shop: Shop) -> None:
    order = buy(shop)
    mail = send(shop, "confirmed", order)
    assert mail["To"] == ADA
    assert order.id in mail["Subject"]
    assert "Your payment of $50.00 has arrived, and these units are yours." in words_of(mail)
    assert f"- 2 × {POSTER}, $25.00 each: $50.00" in words_of(mail)
    assert "Total: $50.00" in text_of(mail)
    assert f"Order: {order.id}" in text_of(mail)
    assert links.order(shop.settings, order.id) in text_of(mail).splitlines()
    assert "What happens next" in text_of(mail)


def test_text_and_html_say_the_same(shop: Shop) -> None:
    order = give_back(shop, buy(shop), 1000)
    for kind, refund in (("confirmed", ""), ("refunded", "re_1")):
        mail = send(shop, kind, order, refund)
        assert mail.get_content_type() == "multipart/alternative"
        notice = notices.KINDS[kind](shop, order, refund)
        assert notice is not None
        html = " ".join(unescape(re.sub(r"<[^>]+>", " ", html_of(mail))).split())
        text = words_of(mail)
        assert notice.title in text
        assert notice.title in html
        for part in notice.parts:
            told = said(part)
            assert told
            assert not [one for one, _ in told if one not in text]
            assert not [one for _, one in told if one not in html]
            if isinstance(part, Button):
                assert f'href="{part.link}"' in html_of(mail)
            if isinstance(part, Picture):
                assert f'src="cid:{part.cid}" alt="{part.shows}"' in html_of(mail)


def test_the_headers_name_kind_and_order(shop: Shop) -> None:
    order = buy(shop)
    mail = send(shop, "confirmed", order)
    assert mail["X-Shop-Mail"] == "confirmed"
    assert mail["X-Shop-Order"] == order.id
    assert mail["From"] == mail["Reply-To"] == "The Night Moth <shop@moth.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert abs(mail["Date"].datetime.timestamp() * 1000 - shop.store.now()) < 60_000
    assert mail["MIME-Version"] == "1.0"


def test_a_repeat_is_known_by_its_message_id(shop: Shop) -> None:
    order = buy(shop)
    first, again = send(shop, "confirmed", order), send(shop, "confirmed", order)
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].endswith("@moth.example>")


def test_no_two_notices_share_a_message_id(open_it: Callable[..., Shop]) -> None:
    """Kind, order, refund and shop each make another one; so does another reason for a review."""
    shop, other = open_it(), open_it(SHOP_ID="lamp")
    order, second = buy(shop, quantity=1), buy(shop, quantity=1, visitor="v2")
    order = give_back(shop, order, 500, refund="re_1")
    order = give_back(shop, order, 600, refund="re_2")
    mails = [
        send(shop, "confirmed", order),
        send(shop, "confirmed", second),
        send(shop, "refunded", order, "re_1"),
        send(shop, "refunded", order, "re_2"),
    ]
    for reason in ("disputed", "refund re_1 failed"):
        shop.store.scripts.review_order(second.id, reason=reason, payment_intent=reason, amount=1)
        mails.append(send(shop, "review", second))
    mails.append(send(other, "confirmed", buy(other, quantity=1)))
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == 7


def test_names_are_markup_nowhere(shop: Shop) -> None:
    mail = send(shop, "confirmed", buy(shop))
    assert "&lt;poster&gt; &amp; friends" in html_of(mail)
    assert "<poster> & friends" in words_of(mail)


def test_nothing_in_a_mail_is_loaded_from_anywhere(shop: Shop) -> None:
    """Pictures come with it."""
    order = give_back(shop, buy(shop), 1000)
    for mail in (send(shop, "confirmed", order), send(shop, "refunded", order, "re_1")):
        html = html_of(mail).replace('src="cid:pickup@picture"', "")
        assert not re.search(r"<(link|script|iframe|object)|\bsrc=|url\(|@import", html)


def test_the_pick_up_code_comes_with_the_confirmation(shop: Shop) -> None:
    order = buy(shop)
    mail = send(shop, "confirmed", order)
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<pickup@picture>"
    assert picture.get_content_disposition() == "inline"
    image = Image.open(io.BytesIO(picture.get_payload(decode=True)))
    shown = re.search(r'src="cid:pickup@picture".*? width="(\d+)" height="(\d+)"', html_of(mail))
    assert shown
    assert image.size == (int(shown[1]), int(shown[2]))
    assert links.pickup(shop.settings, order.id) in text_of(mail).splitlines()


@pytest.mark.parametrize("state", [State.FULFILLED, State.REVIEW])
def test_what_is_not_there_to_be_fetched_has_no_pick_up_code(shop: Shop, state: State) -> None:
    notice = notice_texts.confirmed(shop, replace(buy(shop), state=state))
    assert notice is not None
    assert notice.pictures == ()


def test_an_order_that_was_handed_to_the_post_is_told_as_sent(shop: Shop) -> None:
    order = replace(buy(shop), state=State.FULFILLED)
    assert "handed to the post" in sentences(notice_texts.sent(shop, order))[0]


def test_an_order_that_is_not_handed_over_is_not_told_as_sent(shop: Shop) -> None:
    order = buy(shop)
    assert notices.send_when_due(shop, "sent", order.id) is None
    assert sent(shop) == []


@pytest.mark.parametrize("kind", ["confirmed", "refunded", "review"])
def test_text_lines_are_at_most_78_characters(shop: Shop, kind: str) -> None:
    order = give_back(shop, buy(shop), 1000)
    if kind == "review":
        shop.store.scripts.review_order(order.id, reason="long " * 60)
    mail = send(shop, kind, order, "re_1" if kind == "refunded" else "")
    assert max(map(len, text_of(mail).splitlines())) <= 78


def test_only_ascii_is_sent(shop: Shop) -> None:
    """Whatever way a mail takes, no server can spoil its letters."""
    send(shop, "confirmed", buy(shop))
    [file] = (shop.settings.instance / "mail").glob("*.eml")
    assert file.read_bytes().isascii()


def test_money_and_times_are_written_as_the_shop_s_locale_does(
    open_it: Callable[..., Shop],
) -> None:
    shop = open_it(SHOP_LOCALE="de_DE", SHOP_CURRENCY="eur")
    mail = send(shop, "confirmed", buy(shop))
    assert "50,00\xa0€" in text_of(mail)
    assert re.search(r"Begun: \d{1,2}\.? \w+ \d{4}, \d\d:\d\d UTC", text_of(mail))


def test_a_currency_without_decimals_has_none(open_it: Callable[..., Shop]) -> None:
    shop = open_it(SHOP_CURRENCY="jpy")
    assert "¥5,000" in text_of(send(shop, "confirmed", buy(shop)))


def test_another_kind_of_mail_is_an_error(shop: Shop) -> None:
    with pytest.raises(KeyError):
        notices.send_when_due(shop, "birthday", buy(shop).id)


# Confirmed.


def test_a_confirmation_is_sent_once_and_its_time_noted(shop: Shop) -> None:
    order = buy(shop)
    while work.run_due(shop, 10):
        pass
    [mail] = sent(shop)
    assert mail["X-Shop-Mail"] == "confirmed"
    assert order.updated <= fresh(shop, order).notices["confirmed"] <= shop.store.now()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.PAID, "Your payment of $50.00 has arrived, and these units are yours."),
        (State.AUTHORIZED, "Your bank has agreed to pay $50.00"),
        (State.FULFILLED, "your order has left our hands"),
        (State.REVIEW, "a person looks at it before anything else happens"),
    ],
)
def test_a_confirmation_says_how_the_order_stands_by_now(
    shop: Shop, state: State, said: str
) -> None:
    notice = notice_texts.confirmed(shop, replace(buy(shop), state=state))
    assert said in sentences(notice)[0]


def test_a_confirmation_under_review_promises_no_goods(shop: Shop) -> None:
    order = buy(shop)
    shop.store.scripts.review_order(order.id, reason="the buyer's bank disputes the payment")
    mail = send(shop, "confirmed", order)
    assert mail["Subject"] == f"We have your payment for order {order.id}"
    assert "yours" not in words_of(mail)


@pytest.mark.parametrize(
    "state", [State.RELEASED, State.REFUND_DUE, State.REFUNDED, State.VOID_DUE, State.VOIDED]
)
def test_nothing_is_confirmed_when_the_goods_are_not_the_customer_s(
    shop: Shop, state: State
) -> None:
    assert notice_texts.confirmed(shop, replace(buy(shop), state=state)) is None


def test_an_order_refunded_before_its_confirmation_gets_the_refund_s_mail_only(shop: Shop) -> None:
    give_back(shop, buy(shop), 5000)
    while work.run_due(shop, 10):
        pass
    assert [mail["X-Shop-Mail"] for mail in sent(shop)] == ["refunded"]


def test_a_confirmation_after_a_partial_refund_names_it(shop: Shop) -> None:
    order = give_back(shop, buy(shop), 1000)
    assert "Refunded so far: $10.00" in text_of(send(shop, "confirmed", order))


# Refunded.


def test_each_refund_that_stripe_took_gets_its_own_mail(shop: Shop) -> None:
    order = give_back(shop, buy(shop), 1000, "pending", "re_1")
    give_back(shop, order, 4000, "succeeded", "re_2")
    while work.run_due(shop, 10):
        pass
    mails = [mail for mail in sent(shop) if mail["X-Shop-Mail"] == "refunded"]
    assert sorted(mail["Subject"] for mail in mails) == [
        f"Refund of $10.00 for order {order.id}",
        f"Refund of $40.00 for order {order.id}",
    ]
    assert {"refunded:re_1", "refunded:re_2"} <= set(fresh(shop, order).notices)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("succeeded", "The refund of $50.00 was sent back to what you paid with."),
        ("pending", "The refund of $50.00 is on its way"),
        ("requires_action", "asks you by mail where to send it"),
    ],
)
def test_a_refund_is_told_as_far_as_it_has_come(shop: Shop, status: str, said: str) -> None:
    order = give_back(shop, buy(shop), 5000, status)
    mail = send(shop, "refunded", order, "re_1")
    assert said in words_of(mail)
    assert ("was sent back" in words_of(mail)) == (status == "succeeded")


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_failed_before_its_mail_is_not_announced(shop: Shop, status: str) -> None:
    order = give_back(shop, give_back(shop, buy(shop), 5000, "pending"), 5000, status)
    assert notices.send_when_due(shop, "refunded", order.id, "re_1") is None
    assert sent(shop) == []


def test_a_refund_that_the_order_does_not_have_is_not_announced(shop: Shop) -> None:
    assert notices.send_when_due(shop, "refunded", buy(shop).id, "re_9") is None
    assert sent(shop) == []


def test_a_payment_after_the_units_were_gone_is_explained(shop: Shop) -> None:
    late = begin(shop, 5, "v1")
    settlement.end(shop, late, settlement.Reason.EXPIRED)
    buy(shop, quantity=1, visitor="v2")
    shop.store.scripts.settle_payment(
        late.id, payment_intent="pi_late", session=late.session, amount=12500, email=ADA
    )
    late = give_back(shop, fresh(shop, late), 12500)
    assert late.refunds[0].reason == "sold_out"
    words = words_of(send(shop, "refunded", late, "re_1"))
    assert "arrived after the time we held the units for you" in words
    assert "the last ones were sold" in words
    assert "It is the full amount of your payment." in words
    assert "No goods are due for this order any more." in words


def test_a_second_payment_s_refund_leaves_the_order_standing(shop: Shop) -> None:
    order = buy(shop)
    shop.store.scripts.settle_payment(
        order.id, payment_intent="pi_twin", session="cs_twin", amount=5000, email=ADA
    )
    order = fresh(shop, order)
    refunds.record(shop, order, RefundFact("re_1", "pi_twin", 5000, "succeeded"))
    words = words_of(send(shop, "refunded", order, "re_1"))
    assert "This order was paid twice" in words
    assert "It is the full amount of that payment." in words
    assert "Your order stands: the goods are yours." in words


def test_a_partial_refund_leaves_the_order_standing(shop: Shop) -> None:
    words = words_of(send(shop, "refunded", give_back(shop, buy(shop), 1000), "re_1"))
    assert "We have made you a refund for this order." in words
    assert "It is a part of your payment of $50.00." in words
    assert "Your order stands" in words


def test_the_last_of_several_partial_refunds_says_that_all_goes_back(shop: Shop) -> None:
    order = give_back(shop, give_back(shop, buy(shop), 1000), 4000, refund="re_2")
    words = words_of(send(shop, "refunded", order, "re_2"))
    assert (
        "Together with our other refunds of it, your payment of $50.00 goes back in full." in words
    )
    assert "No goods are due" in words


@pytest.mark.parametrize("reason", ["sold_out", "duplicate", "cancelled", "", "anything else"])
def test_every_refund_mail_has_the_word_and_a_reason(shop: Shop, reason: str) -> None:
    order = buy(shop)
    refund = Refund("re_1", 5000, "pending", order.payment_intent, reason)
    notice = notice_texts.refunded(shop, replace(order, refunds=(refund,)), "re_1")
    assert notice is not None
    assert "refund" in " ".join(sentences(notice))
    assert notice.subject.startswith("Refund of $50.00")
    assert sentences(notice)[0].endswith(".")


# Review.


def test_the_operator_hears_which_order_needs_them_and_why(shop: Shop) -> None:
    order = buy(shop)
    shop.store.scripts.review_order(order.id, reason="the buyer's bank disputes the payment")
    mail = send(shop, "review", order)
    assert mail["To"] == "shop@moth.example"
    assert mail["X-Shop-Order"] == order.id
    words = words_of(mail)
    assert "Why: the buyer's bank disputes the payment." in words
    assert f"https://moth.example/admin/orders/{order.id}" in words
    assert "Its units stay counted as sold" in words
    assert f"Customer: {ADA}" in words
    assert f"https://dashboard.stripe.com/test/payments/{order.payment_intent}" in words


def test_amounts_that_differ_are_written_as_money(shop: Shop) -> None:
    order = begin(shop)
    shop.store.scripts.review_order(
        order.id, reason="paid 4000 usd, held for 5000 usd", payment_intent="pi_1", amount=4000
    )
    words = words_of(send(shop, "review", order))
    assert "Why: $40.00 was paid, but the order was held for $50.00." in words
    assert "Payment: $40.00, pi_1" in words
    assert "Its units stay held" in words


def test_money_of_another_currency_is_not_written_as_ours(shop: Shop) -> None:
    order = begin(shop)
    shop.store.scripts.review_order(
        order.id, reason="paid in eur, held in usd", payment_intent="pi_1", amount=5000
    )
    assert "Payment: 5000 of the currency's smallest unit, pi_1" in words_of(
        send(shop, "review", order)
    )


def test_a_failed_refund_asks_for_another_way(shop: Shop) -> None:
    order = give_back(shop, give_back(shop, buy(shop), 5000, "pending"), 5000, "failed")
    words = words_of(send(shop, "review", order))
    assert "Why: refund re_1 failed." in words
    assert "Refund: $50.00, failed, re_1" in words
    assert "send it to the customer in another way" in words


def test_an_order_without_payment_is_not_to_be_refunded(shop: Shop) -> None:
    order = begin(shop)
    shop.store.scripts.review_order(order.id, reason="the card was only authorised")
    words = words_of(send(shop, "review", order))
    assert "knows of no payment that was taken" in words
    assert "Customer: address not known yet" in words


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"STRIPE_SECRET_KEY": "sk_live_x"}, "https://dashboard.stripe.com/payments/pi_"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:9"}, "Look at the payment at Stripe: pi_"),
    ],
)
def test_the_link_to_stripe_leads_where_the_payment_is(
    open_it: Callable[..., Shop], changes: dict[str, str], found: str
) -> None:
    shop = open_it(**changes)
    order = replace(buy(shop), state=State.REVIEW, reason="disputed")
    notice = review_text.review(shop, order)
    assert notice is not None
    [to_do] = [part for part in notice.parts if isinstance(part, Steps)]
    assert found in " ".join(to_do.items)


def test_an_order_that_needs_nobody_any_more_is_not_reported(shop: Shop) -> None:
    assert notices.send_when_due(shop, "review", buy(shop).id) is None
    assert sent(shop) == []


# To whom.


def test_an_address_that_the_shop_missed_is_asked_of_stripe_and_kept(shop: Shop) -> None:
    order = buy_silently(shop)
    assert order.email == ""
    assert send(shop, "confirmed", order)["To"] == ADA
    assert fresh(shop, order).email == ADA


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LIMITED, Fault.UNAUTHORIZED])
def test_while_stripe_cannot_tell_the_address_the_mail_waits(shop: Shop, fault: Fault) -> None:
    order = buy_silently(shop)
    shop.stripe.fault("session", fault)
    again = notices.send_when_due(shop, "confirmed", order.id)
    assert again is not None
    assert again > 0
    assert sent(shop) == []
    assert send(shop, "confirmed", order)["To"] == ADA


def test_a_mail_that_nobody_can_get_is_done_and_logged(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The payment came without an address, and Stripe knows no such session."""
    order = begin(shop)
    shop.store.scripts.settle_payment(
        order.id, payment_intent="pi_1", session="cs_unknown", amount=5000, email=""
    )
    shop.stripe.sessions[order.session]["customer_details"] = None
    assert notices.send_when_due(shop, "confirmed", order.id) is None
    assert sent(shop) == []
    [record] = [r for r in caplog.records if "nobody gave an address" in r.getMessage()]
    assert vars(record)["order"] == order.id


@pytest.mark.parametrize("email", ["not an address", "ada@b.example, eve@evil.example"])
def test_what_is_no_address_gets_no_mail(
    shop: Shop, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    order = buy(shop)
    shop.store.scripts.note_email(order.id, email)
    assert notices.send_when_due(shop, "confirmed", order.id) is None
    assert sent(shop) == []
    assert email not in caplog.text


def test_an_order_that_does_not_exist_is_done(shop: Shop) -> None:
    assert notices.send_when_due(shop, "confirmed", "nosuchorder") is None
    assert sent(shop) == []


def test_no_log_line_has_an_address(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    order = give_back(shop, buy(shop), 5000, "pending")
    give_back(shop, order, 5000, "failed")
    while work.run_due(shop, 10):
        pass
    assert [mail["X-Shop-Mail"] for mail in sent(shop)] != []
    assert "@" not in caplog.text


# When it does not go out.


class Refusing(Mailer):
    """A mailer whose server says no in one way."""

    def __init__(self, error: Exception) -> None:
        super().__init__("", "shop@moth.example", Path("unused"))
        self.error = error

    def send(self, message: EmailMessage) -> None:
        raise self.error


def test_a_mail_waits_for_a_server_that_is_away(shop: Shop, tmp_path: Path) -> None:
    mailer = Mailer(f"smtp://127.0.0.1:{free_port()}", "shop@moth.example", tmp_path)
    order = buy(shop)
    again = notices.send_when_due(replace(shop, mailer=mailer), "confirmed", order.id)
    assert again is not None
    assert notices.SOONEST_MS / 2 <= again <= notices.SOONEST_MS
    work.run_due(shop, 10)
    assert len(sent(shop)) == 1


def test_the_longer_an_order_waits_the_rarer_are_the_tries(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = buy(shop)
    away = replace(shop, mailer=Refusing(TimeoutError("away")))
    for waited, least, most in (
        (0, notices.SOONEST_MS / 2, notices.SOONEST_MS),
        (60_000, 15_000, 30_000),
        (30 * 24 * 3600_000, notices.LATEST_MS / 2, notices.LATEST_MS),
    ):
        monkeypatch.setattr(shop.store, "now", lambda waited=waited: order.updated + waited)
        again = notices.send_when_due(away, "confirmed", order.id)
        assert again is not None
        assert least <= again <= most


def test_a_busy_mailer_is_tried_again_at_once(shop: Shop) -> None:
    busy = replace(shop, mailer=Refusing(MailerBusy("enough")))
    again = notices.send_when_due(busy, "confirmed", buy(shop).id)
    assert again is not None
    assert 0 < again <= 2 * notices.BUSY_MS


def test_a_mail_that_is_refused_for_good_is_done(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    refusing = replace(shop, mailer=Refusing(MailRefused("the recipient was not accepted (550)")))
    assert notices.send_when_due(refusing, "confirmed", buy(shop).id) is None
    assert "refused for good: the recipient was not accepted (550)" in caplog.text
    assert ADA not in caplog.text
