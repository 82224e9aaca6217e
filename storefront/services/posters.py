"""What a printed poster leads to: a payment link's own address, or a product's page by a short code."""

import base64
import hashlib
import io
from dataclasses import dataclass

import segno

from storefront.domain.payment_links import PaymentLink
from storefront.domain.products import Catalogue, Product
from storefront.services.shop import Shop

CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Poster:
    """What one sheet says."""

    name: str
    image: str
    """File name of the picture; empty when there is none."""
    prices: tuple[int, int]
    """Minor units: the lowest and the highest."""
    url: str
    """Where its QR code leads."""


def code_of(slug: str) -> str:
    """The short code of a product: always the same, so that what was printed stays true."""
    digest = hashlib.sha256(b"code of " + slug.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:CODE_LENGTH]


def product_of(catalogue: Catalogue, code: str) -> Product | None:
    """The published product that a code leads to, typed in small or capital letters."""
    wanted = code.lower()
    return next((p for p in catalogue.published if code_of(p.slug) == wanted), None)


def of_product(shop: Shop, slug: str) -> Poster | None:
    """The poster that leads to a published product's page, where all of it can be bought."""
    found = shop.store.catalogue.current().by_slug(slug)
    if found is None:
        return None
    prices = [variant.price for variant in found.variants]
    return Poster(
        name=found.name,
        image=found.image,
        prices=(min(prices), max(prices)),
        url=f"{shop.settings.public_url}/q/{code_of(slug)}",
    )


def of_link(link: PaymentLink) -> Poster:
    """The poster whose code pays for one unit of a link's allotment at once."""
    return Poster(
        name=link.name,
        image=link.image,
        prices=(link.unit_amount, link.unit_amount),
        url=link.url,
    )


def qr(url: str) -> bytes:
    """A QR code as an SVG picture of any size, on white, so that dark pages leave it readable."""
    file = io.BytesIO()
    segno.make_qr(url, error="m").save(
        file, kind="svg", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return file.getvalue()
