"""The code that a customer shows when they fetch an order, as a picture."""

import io

import segno

from storefront.services import links
from storefront.settings import Settings

SCALE = 5
"""Pixels of a module, of which a code has some forty to a side."""


def png(settings: Settings, order: str) -> tuple[bytes, int]:
    """The code of an order for mails, and its width in pixels."""
    code = _code(settings, order)
    file = io.BytesIO()
    code.save(file, kind="png", scale=SCALE)
    return file.getvalue(), int(code.symbol_size(SCALE)[0])


def svg(settings: Settings, order: str) -> bytes:
    """The code of an order for pages. Its background is white, so that dark pages leave it readable."""
    file = io.BytesIO()
    _code(settings, order).save(
        file, kind="svg", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return file.getvalue()


def _code(settings: Settings, order: str) -> segno.QRCode:
    return segno.make_qr(links.pickup(settings, order), error="m")
