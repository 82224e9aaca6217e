"""What search engines and browsers ask for by fixed names."""

from flask import Blueprint, Response, current_app, render_template, url_for

from storefront.services import shelf
from storefront.web.current import shop
from storefront.web.sharing import absolute

blueprint = Blueprint("crawlers", __name__)

PRIVATE = ("/admin", "/bag", "/checkout", "/dev", "/orders", "/paid", "/pay", "/waitlist")
"""Pages that are one visitor's, or the operator's; addresses that begin so are not to be listed."""


@blueprint.get("/robots.txt")
def robots() -> Response:
    """A search engine asks which pages it may list."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE)]
    lines += ["", f"Sitemap: {absolute(url_for('crawlers.sitemap'))}", ""]
    return Response("\n".join(lines), mimetype="text/plain")


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """A search engine asks which pages there are."""
    products = shelf.catalogue(shop()).published
    pages = [url_for("shelf.index")]
    pages += [url_for("shelf.product", slug=product.slug) for product in products]
    text = render_template("sitemap.xml", pages=[absolute(page) for page in pages])
    return Response(text, mimetype="application/xml")


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """A browser asks for the icon without having looked at a page."""
    return current_app.send_static_file("favicon.ico")
