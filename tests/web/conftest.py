"""A shop with some goods on fakeredis, its web application, and visitors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from storefront.app import assemble
from storefront.services.shop import Shop
from storefront.settings import Settings, load_settings
from storefront.storage.store import open_store
from tests.web.browsing import Browser

PASSWORD = "night moth"
HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a shop, some of them changed by their variables' names."""

    def make(**changes: str) -> Settings:
        environ = {
            "SECRET_KEY": "the-tests-own-key",
            "PUBLIC_URL": "http://shop.example",
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "ADMIN_PASSWORD_HASH": HASH,
            "RATE_LIMIT": "off",
            **changes,
        }
        return load_settings(environ, tmp_path / "instance")

    return make
