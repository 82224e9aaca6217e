"""Headers, hosts and cookies: what keeps other sites, and other pages' scripts, out of the shop."""

from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from storefront.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
STRIPE_PAGE = "https://checkout.stripe.com"
STRIPE_JS = "https://js.stripe.com/v3/"
FORM_BYTES = 64 * 1024
COOKIE = "shop_session"
"""Not Flask's own name: on localhost all ports share their cookies."""
CSRF_SECONDS = 12 * 3600
"""A page may stay open for an evening before its forms grow stale."""
SESSION_SECONDS = 30 * 24 * 3600
HSTS_SECONDS = 365 * 24 * 3600

csrf = CSRFProtect()


class UnknownHost(BadRequest):
    """The shop was asked for by a name that is not its own."""


def origin(url: str) -> str:
    """Scheme, host and port of an address, as Content-Security-Policy names them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def payment_origins(stripe_api_base: str) -> tuple[str, ...]:
    """Where a checkout form may end up: Chromium checks ``form-action`` on the 303's target too.

    A stand-in on loopback may write its page's address with another of loopback's names than ours;
    a policy cannot name an IPv6 address at all.
    """
    if not stripe_api_base:
        return (STRIPE_PAGE,)
    parts = urlsplit(stripe_api_base)
    if parts.hostname not in LOOPBACK:
        return (STRIPE_PAGE, origin(stripe_api_base))
    port = f":{parts.port}" if parts.port else ""
    return (
        STRIPE_PAGE,
        f"{parts.scheme}://localhost{port}",
        f"{parts.scheme}://127.0.0.1{port}",
    )


def content_policy(payment_pages: tuple[str, ...]) -> str:
    """The Content-Security-Policy: our own files only, nothing inline, nobody frames us."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"form-action 'self' {' '.join(payment_pages)}",
        )
    )


def permissions(*, camera: bool) -> str:
    """The Permissions-Policy: no device is used, but for the camera where codes are scanned."""
    eye = "(self)" if camera else "()"
    return f"camera={eye}, microphone=(), geolocation=(), usb=(), browsing-topics=()"


def stripe_js(settings: Settings) -> str:
    """Where the payment page loads Stripe.js from."""
    return settings.stripe_js_url or STRIPE_JS


def payment_policy(settings: Settings) -> str:
    """The Content-Security-Policy of our own payment page: what Stripe.js asks for, and no more.

    https://docs.stripe.com/security/guide#content-security-policy
    """
    if settings.stripe_js_url:
        scripts = frames = calls = origin(settings.stripe_js_url)
    else:
        scripts = "https://*.js.stripe.com https://js.stripe.com"
        frames = f"{scripts} https://hooks.stripe.com"
        calls = "https://api.stripe.com"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {scripts}",
            f"frame-src {frames}",
            f"connect-src 'self' {calls}",
            "style-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        )
    )


def configure(app: Flask, settings: Settings) -> None:
    """Set what Flask and its extensions need, before any view runs."""
    keys = settings.secret_key_fallbacks
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(keys),
        # itsdangerous signs with the last key of a list and takes any of them.
        WTF_CSRF_SECRET_KEY=[*reversed(keys), settings.secret_key],
        WTF_CSRF_TIME_LIMIT=CSRF_SECONDS,
        SESSION_COOKIE_NAME=("__Host-" if settings.https else "") + COOKIE,
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        MAX_CONTENT_LENGTH=FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        MAX_FORM_PARTS=400,
    )


def register(app: Flask, settings: Settings) -> None:
    """Check the host of every request and put the headers on every answer."""
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_port=count
        )
    trusted = LOOPBACK | {urlsplit(settings.public_url).hostname}
    policy = content_policy(payment_origins(settings.stripe_api_base))

    @app.before_request
    def check_host() -> None:
        if request.blueprint == "health":
            return
        try:
            host = urlsplit(f"//{request.host}").hostname
        except ValueError:
            host = None
        if host not in trusted:
            raise UnknownHost

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", permissions(camera=False))
        if settings.https:
            headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
        headers.setdefault("Cache-Control", "private, no-cache")
        return response
