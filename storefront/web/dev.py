"""Pages for who works on the shop. They are there in development only."""

import base64
from contextlib import AbstractContextManager

from flask import Blueprint, Response, abort, render_template, request

from storefront import languages
from storefront.services import mail_samples, notice_forms
from storefront.services.notice_parts import Notice
from storefront.web.current import settings, shop

blueprint = Blueprint("dev", __name__, url_prefix="/dev")

MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox"
)
"""As strict as a mail program: inline style, its own pictures, and nothing else."""


@blueprint.get("/mails")
def mails() -> str:
    """Somebody looks for a mail to read."""
    return render_template("mails.html", samples=mail_samples.samples(shop()))


@blueprint.get("/mails/<name>.html")
def mail_html(name: str) -> Response:
    """Somebody reads a mail as a mail program shows it."""
    with _reader():
        notice = _sample(name)
        html = notice_forms.write(settings(), notice).html
    for picture in notice.pictures:
        shown = f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"
        html = html.replace(f"cid:{picture.cid}", shown)
    return Response(html, headers={"Content-Security-Policy": MAIL_POLICY})


@blueprint.get("/mails/<name>.txt")
def mail_text(name: str) -> Response:
    """Somebody reads a mail's text."""
    with _reader():
        text = notice_forms.write(settings(), _sample(name)).text
    return Response(text, mimetype="text/plain")


def _reader() -> AbstractContextManager[None]:
    """Mails are in English here, or as ``?language=`` asks."""
    wanted = request.args.get("language", "")
    known = wanted in settings().shop_languages
    return languages.spoken(wanted if known else languages.ENGLISH)


def _sample(name: str) -> Notice:
    notice = mail_samples.samples(shop()).get(name)
    if notice is None:
        abort(404)
    return notice
