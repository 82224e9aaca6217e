"""Who calls the API: the shop with a secret key, or a shopper's browser with a publishable one."""

import base64
import binascii

from .errors import StripeError

SECRET = ("sk_", "rk_")
PUBLISHABLE = "pk_test_"


def given(header: str) -> str:
    """The key in an Authorization header, bearer or basic; empty when there is none."""
    scheme, _, credential = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            credential = base64.b64decode(credential).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            credential = ""
    elif scheme.lower() != "bearer":
        credential = ""
    return credential.strip()


def is_publishable(key: str) -> bool:
    """Whether the key is one for browsers; StripeError 401 when it is no key at all."""
    if not key:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
            kept=False,
        )
    if key.startswith(PUBLISHABLE):
        return True
    if not key.startswith(SECRET):
        shown = f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "****"
        raise StripeError(f"Invalid API Key provided: {shown}", status=401, kept=False)
    return False
