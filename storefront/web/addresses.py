"""Where a request comes from, as far as the shop wants to know."""

import hashlib
import hmac
import ipaddress

from flask import request


def client() -> str:
    """The client's address behind the trusted proxies, an IPv6 one cut to its /64.

    A household or a phone owns a whole /64, so the single address says nothing.
    """
    try:
        address = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def mark(secret_key: str) -> str:
    """The client's address as it may be stored: recognised again, never read back."""
    message = b"address:" + client().encode()
    return hmac.new(secret_key.encode(), message, hashlib.sha256).hexdigest()[:32]
