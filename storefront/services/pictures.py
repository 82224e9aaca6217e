"""Pictures that the operator uploads: looked into, made anew in the sizes that pages show, and kept.

What is kept was written by this shop: nothing of the upload but its picture comes along, so neither a
place where it was taken nor anything that hides in a file.
"""

import hashlib
import io
import secrets
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import gevent
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from storefront.domain import pictures as names
from storefront.domain.errors import BadInput
from storefront.services import orders, payment_links
from storefront.services.shop import Shop

MOST_BYTES = 10_000_000
MOST_PIXELS = 50_000_000
"""Of what is uploaded: a picture of 8,660 × 5,773. Looked at before anything is decoded."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
"""As Pillow finds them in the content; a name or a declared type says nothing."""
TALLEST = 2
"""Times the width that a picture is shown; what is taller is made smaller as a whole."""
QUALITY = 82
KEPT_SECONDS = 24 * 3600
"""An upload that nothing names yet may be on its way into a product."""

KINDS = "Send a JPEG, PNG, WebP, GIF or AVIF."
DAMAGED = "The file is cut off or damaged, so there is no whole picture in it. Send it again."
SVG = "An SVG can carry a script, so none is taken here. " + KINDS
TOO_BIG = (
    f"The file is larger than {MOST_BYTES // 1_000_000} MB. Make it smaller and send it again."
)
TOO_MANY = f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller."


def keep(shop: Shop, upload: bytes) -> str:
    """The name of the picture in these bytes, now kept in every size; the same for the same bytes.

    Raises BadInput with a sentence, and nothing is kept.
    """
    if not upload:
        raise BadInput("Choose a file first.")
    if len(upload) > MOST_BYTES:
        raise BadInput(TOO_BIG)
    # Apart from the greenlets, which would all wait: a large picture takes a second.
    made: dict[str, bytes] | BadInput = gevent.get_hub().threadpool.apply(_outcome, (upload,))
    if isinstance(made, BadInput):
        raise made
    folder = shop.settings.pictures
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        new = folder / f".{secrets.token_hex(8)}.new"
        new.write_bytes(content)
        new.replace(folder / name)
    return next(iter(made))


def _outcome(upload: bytes) -> dict[str, bytes] | BadInput:
    """As ``_made``; the thread that does it would write an exception into the log."""
    try:
        return _made(upload)
    except BadInput as refused:
        return refused


def _made(upload: bytes) -> dict[str, bytes]:
    """Every file of the picture by its name, the largest first. Raises BadInput."""
    mark = hashlib.sha256(upload).hexdigest()[:16]
    image = _opened(upload)
    width, height = _fitting(image.width, image.height, names.WIDTHS[-1])
    name = f"{mark}-{width}x{height}.webp"
    files = {name: _written(image, width, height)}
    for smaller in names.WIDTHS:
        if smaller < width:
            across, down = _fitting(width, height, smaller)
            files[names.sized(name, smaller)] = _written(image, across, down)
    return files


def _opened(upload: bytes) -> Image.Image:
    """The picture upright, in the colours of the web and with nothing else. Raises BadInput."""
    try:
        with Image.open(io.BytesIO(upload), formats=FORMATS) as found:
            if found.width * found.height > MOST_PIXELS:
                raise BadInput(TOO_MANY)
            found.draft("RGB", (names.WIDTHS[-1], names.WIDTHS[-1]))  # decodes a JPEG no larger
            upright = ImageOps.exif_transpose(found)
            plain = _in_srgb(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadInput(TOO_MANY) from None
    except UnidentifiedImageError:
        raise BadInput(_unknown(upload)) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error):
        raise BadInput(DAMAGED) from None
    return plain


def _unknown(upload: bytes) -> str:
    """Why this is no picture, as far as its beginning tells."""
    start = upload[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start or start.startswith((b"<?xml", b"\x1f\x8b")):
        return SVG
    return "That is no picture that can be read here, whatever its name says. " + KINDS


def _in_srgb(image: Image.Image) -> Image.Image:
    """The pixels alone, as browsers take them where no colour profile says otherwise."""
    factor = image.width // (2 * names.WIDTHS[-1])
    if factor > 1 and image.mode in {"L", "RGB", "RGBA", "CMYK"}:
        image = image.reduce(factor)  # the rest is then done to fewer pixels
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    clear = image.has_transparency_data
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged profile says nothing; the colours stay as they are
    return image.convert("RGBA" if clear else "RGB")


def _fitting(width: int, height: int, most: int) -> tuple[int, int]:
    """The size in which a picture is kept that may be ``most`` pixels wide."""
    share = min(1.0, most / width, TALLEST * most / height)
    return max(1, round(width * share)), max(1, round(height * share))


def _written(image: Image.Image, width: int, height: int) -> bytes:
    smaller = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = io.BytesIO()
    smaller.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()


def unused(shop: Shop) -> Iterator[Path]:
    """The uploaded pictures' files that no product, order or payment link names any more."""
    named = {product.image for product in shop.store.catalogue.read().products}
    named |= {line.image for order in orders.listing(shop) for line in order.lines}
    named |= {link.image for link in payment_links.listing(shop)}
    folder = shop.settings.pictures
    before = time.time() - KEPT_SECONDS
    for file in sorted(folder.iterdir()) if folder.exists() else ():
        name = names.largest(file.name)
        if name and name not in named and file.stat().st_mtime < before:
            yield file
