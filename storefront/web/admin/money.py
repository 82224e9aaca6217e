"""A day's money, for the bookkeeper."""

import csv
import io
from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, render_template, request

from storefront.domain.errors import StripeError
from storefront.domain.money import to_decimal
from storefront.services import money
from storefront.web.current import joined, settings, shop

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
)


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
    """The operator holds a day's money against what Stripe says, within the last minute or ``anew``."""
    day, anew = _asked(), request.args.get("anew") == "1"
    try:
        found = joined().money.look(shop(), day, anew=anew)
    except StripeError:
        return _page(day, None), 503
    return _page(day, found)


def _page(day: date, found: money.Day | None) -> str:
    zone, latest = settings().shop_timezone, money.today(shop())
    return render_template("admin/money.html", day=day, found=found, zone=zone, latest=latest)


@blueprint.get("/money.csv")
def export() -> Response | tuple[str, int]:
    """The bookkeeper takes the day along: times with their offset, minor and major units."""
    day = _asked()
    try:
        found = joined().money.look(shop(), day)
    except StripeError:
        return _page(day, None), 503
    response = Response(_lines(found), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename=money-{day}.csv"
    return response


def _lines(found: money.Day) -> Iterator[str]:
    yield _line(HEAD)
    for row in found.rows:
        yield _line(
            (
                row.at.isoformat(),
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
            )
        )
    for one in found.counter:
        yield _line(
            (
                one.at.isoformat(),
                one.kind,
                one.order,
                one.payment,
                one.refund,
                one.currency,
                *("", ""),
                *_both(one.amount, one.currency),
                *("", "", "", ""),
                one.form,
            )
        )


def _both(amount: int | None, currency: str) -> tuple[object, object]:
    return ("", "") if amount is None else (amount, to_decimal(amount, currency))


def _line(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
