"""The shop as it is now, which an operator sees first."""

from flask import Blueprint, render_template, session

from storefront.services import now
from storefront.web.current import settings, shop

blueprint = Blueprint("now", __name__)


@blueprint.get("/")
def show() -> str:
    """The operator looks at the shop."""
    return render_template("admin/now.html", now=now.look(shop()), zone=settings().shop_timezone)


@blueprint.get("/now")
def part() -> str:
    """The open page asks what has changed. That is no visit: who left the screen is signed out."""
    text = render_template(
        "admin/now_part.html", now=now.look(shop()), zone=settings().shop_timezone
    )
    session.modified = False
    return text
