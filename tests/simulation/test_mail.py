"""The mails of a seed say what they would say in full."""

from email.message import EmailMessage
from typing import Any
from unittest.mock import patch

from storefront.services import notices
from tests.simulation.runs import quietly
from tests.simulation.simulation import Simulation
from tests.simulation.town import Ground

HEADERS = ("From", "To", "Reply-To", "Subject", "Message-ID", "X-Shop-Mail", "X-Shop-Order")
SEED = 0
"""Of several kinds of mails, one with pictures among them."""


def told(mail: Any) -> list[str]:
    """Headers and parts, without the spaces that only their form on the wire has."""
    text, html = mail.iter_parts()
    if hasattr(text, "get_content"):
        html = next(html.iter_parts(), html) if html.is_multipart() else html
        parts = [text.get_content(), html.get_content()]
    else:
        parts = [text.content, html.content]
    return [str(mail[name]) for name in HEADERS] + ["".join(part.split()) for part in parts]


def sent() -> list[Any]:
    simulation = Simulation(Ground(), SEED)
    simulation.run()
    return simulation.town.postman.sent


def test_a_mail_without_its_form_on_the_wire_says_the_same() -> None:
    with quietly():
        quick = sent()
    with quietly(), patch.object(notices, "EmailMessage", EmailMessage):
        full = sent()
    assert len({mail["X-Shop-Mail"] for mail in full}) > 1
    assert any(part.get_content_type() == "image/png" for mail in full for part in mail.walk())
    assert list(map(told, quick)) == list(map(told, full))
