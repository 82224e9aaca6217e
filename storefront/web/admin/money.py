"""A day's money, for the bookkeeper."""

import csv
import io
import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from flask import Blueprint, Response, render_template, request

from storefront.domain.errors import StripeError
from storefront.domain.money import to_decimal
from storefront.services import money
from storefront.services.shop import Shop
from storefront.web.current import settings, shop

blueprint = Blueprint("money", __name__)

HEAD = (
    "time",
    "kind",
    "order",
    "payment_intent",
    "stripe_id",
    "currency",
    "stripe_minor",
    "stripe_major",
    "shop_minor",
    "shop_major",
    "fee_currency",
    "fee_minor",
    "fee_major",
    "differs",
    "through",
    "time_zone",
)
NOT_ALL = "THIS FILE IS NOT WHOLE: Stripe did not answer any more. Take it again."

log = logging.getLogger(__name__)


def _asked() -> date:
    """The day that is asked for; today when none is, or none that there is."""
    latest = money.today(shop())
    try:
        asked = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return latest
    return asked if date(2010, 1, 1) <= asked <= latest else latest


@blueprint.get("/money")
def show() -> str | tuple[str, int]:
    """The operator holds a day's money against what Stripe says, or goes on with adding it up.

    With ``anew``, Stripe is asked again also within the minute.
    """
    day, anew = _asked(), request.args.get("anew") == "1"
    try:
        found = money.look(shop(), day, anew=anew)
    except StripeError:
        return _page(day, None), 503
    return _page(day, found)


def _page(day: date, found: money.Day | None) -> str:
    zone, latest = settings().shop_timezone, money.today(shop())
    return render_template("admin/money.html", day=day, found=found, zone=zone, latest=latest)


@blueprint.get("/money.csv")
def export() -> Response | tuple[str, int]:
    """The bookkeeper takes the whole day along: times with their offset, minor and major units.

    It is sent as Stripe tells it. When Stripe stops on the way, the last line says so, and the answer
    is broken off, so that no browser takes the file for whole.
    """
    day = _asked()
    lines = _lines(shop(), day)
    try:
        first = [next(lines), next(lines, "")]
    except StripeError:
        return _page(day, None), 503
    response = Response(_sent(first, lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename=money-{day}.csv"
    return response


def _sent(first: Iterable[str], rest: Iterator[str]) -> Iterator[str]:
    yield from first
    try:
        yield from rest
    except StripeError:
        log.warning("a day's money was sent in part: Stripe did not answer any more")
        yield _line((NOT_ALL,))
        raise


def _lines(shop: Shop, day: date) -> Iterator[str]:
    """What is asked of Stripe first comes before the second line, or the end."""
    zone, name = shop.settings.zone, shop.settings.shop_timezone
    yield _line(HEAD)
    for row in money.rows(shop, day):
        yield _line(
            (
                datetime.fromtimestamp(row.at / 1000, zone).isoformat(timespec="seconds"),
                row.kind,
                row.order,
                row.payment,
                row.source,
                row.currency,
                *_both(row.theirs, row.currency),
                *_both(row.ours, row.currency),
                row.fee_currency,
                *_both(row.fee, row.fee_currency),
                "yes" if row.differs else "",
                "stripe",
                name,
            )
        )
    for one in money.at_the_counter(shop, day):
        yield _line(
            (
                one.at.isoformat(timespec="seconds"),
                one.kind,
                one.order,
                one.payment,
                one.refund,
                one.currency,
                *("", ""),
                *_both(one.amount, one.currency),
                *("", "", "", ""),
                one.form,
                name,
            )
        )


def _both(amount: int | None, currency: str) -> tuple[object, object]:
    return ("", "") if amount is None else (amount, to_decimal(amount, currency))


def _line(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
