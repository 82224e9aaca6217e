"""Every setting of the shop, read from the environment and checked once, at start."""

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from dotenv import dotenv_values

from storefront import instance as folder
from storefront.delivering import Delivering, read_delivering
from storefront.environment import Environment, SettingsError, loopback, public, split, wrong
from storefront.languages import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
"""The folder of ``wsgi.py``; a ``.env`` file there is read too."""

STANDIN_KEY = "sk_test_standin"
"""The secret key when there is no Stripe account: the built-in stand-in takes it."""

STANDIN_PUBLISHABLE_KEY = "pk_test_standin"

REDIS_SCHEMES = ("redis", "rediss", "unix")
LATER_REDIS_SCHEMES = ("redis+sentinel", "redis+cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided. Names are those of the variables in lower case.

    Times are seconds. Secrets are left out of its ``repr``, so that no log can show them.
    """

    env: str
    secret_key: str = field(repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(repr=False)
    public_url: str
    redis_url: str = field(repr=False)
    """Empty: the embedded server of the instance folder."""
    shop_id: str
    shop_name: str
    shop_currency: str
    """ISO code, lower case."""
    shop_locale: str
    shop_languages: tuple[str, ...]
    """Those that pages and mails are written in, the one for everybody else first."""
    shop_timezone: str
    """In which the operator types opening times."""
    stripe_secret_key: str = field(repr=False)
    stripe_publishable_key: str
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
    """Empty only in development: then no webhook can be verified, and each is answered 400."""
    stripe_api_base: str
    """Empty: Stripe's own."""
    stripe_js_url: str
    checkout_ui: str
    capture_method: str
    delayed_methods: bool
    """Whether money may be on its way for days, with the units held meanwhile."""
    delivering: Delivering
    hold_seconds: int
    hold_grace_seconds: int
    hold_extend_seconds: int
    """0: a hold cannot be extended."""
    offer_seconds: int
    reconcile_seconds: int
    retention_days: int
    """0: customers are never forgotten by themselves."""
    shop_worker: bool
    max_per_order: int
    holds_per_visitor: int
    holds_per_ip: int
    """0: no limit."""
    live_streams: int
    rate_limit: bool
    trusted_proxies: int
    smtp_url: str = field(repr=False)
    """Empty: mails are kept as files in the instance folder."""
    mail_from: str
    admin_password_hash: str = field(repr=False)
    """Empty only in development before the first start: then nobody can sign in."""
    log_format: str
    host: str
    port: int
    web_concurrency: int
    metrics_token: str = field(repr=False)
    """Empty: metrics for this machine only."""
    instance: Path
    standin: bool
    """No Stripe account was given, so the built-in stand-in plays Stripe."""
    standin_port: int

    @property
    def https(self) -> bool:
        """Whether visitors reach the shop by https, so that cookies can be kept to it."""
        return self.public_url.startswith("https://")

    @property
    def zone(self) -> tzinfo:
        """The time zone in which the operator types."""
        return UTC if self.shop_timezone == "UTC" else ZoneInfo(self.shop_timezone)

    @property
    def reachable(self) -> bool:
        """Whether Stripe can fetch what the shop shows: by https, and not from a private address."""
        return self.https and public(self.public_url)

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return "_live_" in self.stripe_secret_key

    @property
    def pictures(self) -> Path:
        """Where the products' pictures are kept; shown at ``/pictures/<name>``."""
        return self.instance / "pictures"

    def warnings(self) -> list[str]:
        """What is allowed but worth a second look, one sentence each."""
        found = []
        if self.env == "production" and not self.livemode:
            found.append("STRIPE_SECRET_KEY is a test key: no real money moves.")
        if self.stripe_api_base.startswith("http://") and not self.standin:
            found.append(
                f"STRIPE_API_BASE is {self.stripe_api_base}: the secret key travels unencrypted."
            )
        if not self.stripe_webhook_secrets:
            found.append(
                "STRIPE_WEBHOOK_SECRET is not set: no webhook can be verified, each is answered "
                "400, and orders are settled by asking Stripe."
            )
        if self.delayed_methods:
            found.append(
                "DELAYED_METHODS is on: whoever pays by bank debit or transfer keeps the units held "
                "for days until the money comes, or does not and they go back on sale."
            )
        if self.env == "production" and len(self.secret_key) < 32:
            found.append("SECRET_KEY is shorter than 32 characters: make a longer one.")
        return found


def load_settings(
    environ: Mapping[str, str] | None = None, instance: Path | None = None
) -> Settings:
    """The settings of this process, from ``environ`` or else from its environment and ``.env``.

    In development what is missing is filled in, and a secret key is made once in the instance
    folder. Raises SettingsError, one sentence, for the first setting that is wrong.
    """
    if environ is None:
        file = dotenv_values(ROOT / ".env", interpolate=False)
        environ = {**{k: v for k, v in file.items() if v is not None}, **os.environ}
    return read_settings(Environment(environ), instance)


def read_settings(env: Environment, instance: Path | None = None) -> Settings:
    """As ``load_settings``, from variables that remember which of them were asked for."""
    mode = env.choice("SHOP_ENV", "development", ("development", "production"))
    development = mode == "development"
    kept = env.get("SHOP_INSTANCE")
    instance = (instance or Path(kept or ROOT / "instance")).absolute()

    port = env.number("PORT", 8000, 1, 65535, "a port")
    standin_port = env.number(
        "STANDIN_PORT", port + 1 if port < 65535 else port - 1, 1, 65535, "a port"
    )
    secret_key = env.secret("SECRET_KEY", r".{8,1000}", "8 characters or more")
    public_url = env.address("PUBLIC_URL", f"http://localhost:{port}" if development else "")
    redis_url = _redis_url(env)
    stripe_key = env.secret(
        "STRIPE_SECRET_KEY",
        r"(sk|rk)_[A-Za-z0-9_]{1,250}",
        "a key of Stripe's that begins with sk_ or rk_",
    )
    webhook_secrets = env.secrets(
        "STRIPE_WEBHOOK_SECRET", r"whsec_[^\s,]{1,250}", "a secret that begins with whsec_"
    )
    password_hash = env.secret(
        "ADMIN_PASSWORD_HASH",
        r"(scrypt|pbkdf2)(:[^\s$]+)?\$[^\s$]+\$[0-9a-fA-F]+",
        "a hash in Werkzeug's format, as `flask shop set-password --print` shows it",
    ) or folder.read(instance, folder.ADMIN_PASSWORD_HASH)

    if not development:
        _check_production(
            public_url,
            {
                "SECRET_KEY": secret_key,
                "PUBLIC_URL": public_url,
                "REDIS_URL": redis_url,
                "STRIPE_SECRET_KEY": stripe_key,
                "STRIPE_WEBHOOK_SECRET": webhook_secrets,
                "ADMIN_PASSWORD_HASH": password_hash,
            },
        )
    secret_key = secret_key or folder.secret_key(instance)
    api_base = env.address("STRIPE_API_BASE", "", path=True)
    standin = not stripe_key and not api_base
    if not stripe_key:
        stripe_key = STANDIN_KEY
        webhook_secrets = webhook_secrets or (standin_webhook_secret(secret_key),)
        api_base = api_base or f"http://localhost:{standin_port}"

    checkout_ui = _checkout_ui(env, stripe_key)
    currency = _currency(env)
    return Settings(
        env=mode,
        secret_key=secret_key,
        secret_key_fallbacks=env.secrets(
            "SECRET_KEY_FALLBACKS", r"[^\s,]{8,1000}", "8 characters or more, without spaces"
        ),
        public_url=public_url,
        redis_url=redis_url,
        shop_id=env.matching(
            "SHOP_ID", "popup", r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, - and _"
        ),
        shop_name=env.text("SHOP_NAME", "Pop-up shop", longest=100),
        shop_currency=currency,
        shop_locale=_locale(env),
        shop_languages=_languages(env),
        shop_timezone=_timezone(env),
        stripe_secret_key=stripe_key,
        stripe_publishable_key=_publishable_key(env, stripe_key),
        stripe_webhook_secrets=webhook_secrets,
        stripe_api_base=api_base,
        stripe_js_url=env.matching(
            "STRIPE_JS_URL",
            f"{api_base}/v3/stripe.js" if standin else "",
            r"https?://[^\s\"'<>;,]{1,500}",
            "the http or https address of a script",
        ),
        checkout_ui=checkout_ui,
        capture_method=env.choice("CAPTURE_METHOD", "automatic", ("automatic", "manual")),
        delayed_methods=env.switch("DELAYED_METHODS", default=False),
        delivering=read_delivering(env, currency, checkout_ui),
        # Stripe ends a session 24 hours after it was made at the latest; the margin is for a retry.
        hold_seconds=env.number("HOLD_SECONDS", 1920, 1, 86_000, "seconds"),
        hold_grace_seconds=env.number("HOLD_GRACE_SECONDS", 300, 0, 86_400, "seconds"),
        hold_extend_seconds=env.number("HOLD_EXTEND_SECONDS", 600, 0, 86_400, "seconds"),
        offer_seconds=env.number("OFFER_SECONDS", 7200, 1, 2_592_000, "seconds"),
        reconcile_seconds=env.number("RECONCILE_SECONDS", 3600, 1, 259_200, "seconds"),
        retention_days=env.number("RETENTION_DAYS", 0, 0, 36_500, "days"),
        shop_worker=env.switch("SHOP_WORKER", default=development),
        max_per_order=env.number("MAX_PER_ORDER", 10, 1, 10_000, "units"),
        holds_per_visitor=env.number("HOLDS_PER_VISITOR", 1, 1, 100, "holds"),
        holds_per_ip=env.number("HOLDS_PER_IP", 20, 0, 1_000_000, "holds"),
        live_streams=env.number("LIVE_STREAMS", 10_000, 0, 100_000, "open pages"),
        rate_limit=env.switch("RATE_LIMIT", default=True),
        trusted_proxies=env.number("TRUSTED_PROXIES", 0, 0, 10, "proxies"),
        smtp_url=env.url("SMTP_URL", "", ("smtp", "smtps")),
        mail_from=_mail_from(env, public_url),
        admin_password_hash=password_hash,
        log_format=env.choice("LOG_FORMAT", "text", ("text", "json")),
        host=env.matching(
            "HOST", "127.0.0.1", r"[A-Za-z0-9_.:\[\]-]{1,255}", "an address or name of this machine"
        ),
        port=port,
        web_concurrency=env.number("WEB_CONCURRENCY", os.cpu_count() or 1, 1, 256, "processes"),
        metrics_token=env.secret("METRICS_TOKEN", r"[\x21-\x7e]{1,500}", "text without spaces"),
        instance=instance,
        standin=standin,
        standin_port=standin_port,
    )


def standin_webhook_secret(secret_key: str) -> str:
    """What the built-in stand-in signs its webhooks with: the same in every process and start."""
    return "whsec_" + hmac.new(secret_key.encode(), b"standin", hashlib.sha256).hexdigest()


def _check_production(public_url: str, needed: Mapping[str, object]) -> None:
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(
            f"SHOP_ENV=production needs {' and '.join(missing)}: not set; allowed is what the "
            "README's table of settings says of each."
        )
    if public_url.startswith("http://") and not loopback(public_url):
        raise SettingsError(
            f"PUBLIC_URL is {public_url!r}: allowed in production is an https address, or http on "
            "this machine itself (localhost)."
        )


def _redis_url(env: Environment) -> str:
    scheme = env.get("REDIS_URL").partition("://")[0]
    if scheme in LATER_REDIS_SCHEMES:
        raise SettingsError(
            f"REDIS_URL begins with {scheme}://, which this version does not connect to yet: "
            "allowed are redis://, rediss:// and unix://."
        )
    return env.url("REDIS_URL", "", REDIS_SCHEMES)


def _checkout_ui(env: Environment, stripe_key: str) -> str:
    value = env.choice("CHECKOUT_UI", "hosted", ("hosted", "elements"))
    if value == "elements" and not _publishable_key(env, stripe_key):
        raise SettingsError(
            "CHECKOUT_UI is 'elements' and STRIPE_PUBLISHABLE_KEY is not set: our own payment page "
            "needs the key that begins with pk_ from https://dashboard.stripe.com/apikeys."
        )
    return value


def _currency(env: Environment) -> str:
    value = env.get("SHOP_CURRENCY") or "usd"
    if value.upper() not in list_currencies():
        raise wrong("SHOP_CURRENCY", value[:40], "one ISO 4217 code such as usd, eur or jpy")
    return value.lower()


def _locale(env: Environment) -> str:
    value = env.get("SHOP_LOCALE") or "en_US"
    try:
        return str(Locale.parse(value.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        raise wrong("SHOP_LOCALE", value[:40], "a locale such as en_US or de_DE") from None


def _languages(env: Environment) -> tuple[str, ...]:
    value = env.get("SHOP_LANGUAGES") or "en,de"
    found = tuple(dict.fromkeys(one.strip().lower() for one in value.split(",")))
    if not set(found) <= set(LANGUAGES):
        raise wrong("SHOP_LANGUAGES", value[:40], f"one or more of {', '.join(LANGUAGES)}")
    return found


def _timezone(env: Environment) -> str:
    value = env.get("SHOP_TIMEZONE") or "UTC"
    if value != "UTC" and value not in available_timezones():
        raise wrong("SHOP_TIMEZONE", value[:40], "a time zone such as UTC or Europe/Berlin")
    return value


def _publishable_key(env: Environment, stripe_key: str) -> str:
    standin = STANDIN_PUBLISHABLE_KEY if stripe_key == STANDIN_KEY else ""
    value = env.matching(
        "STRIPE_PUBLISHABLE_KEY", standin, r"pk_[A-Za-z0-9_]{1,250}", "a key that begins with pk_"
    )
    if value and ("_live_" in value) != ("_live_" in stripe_key):
        raise SettingsError(
            "STRIPE_PUBLISHABLE_KEY and STRIPE_SECRET_KEY are found to be of different modes: "
            "allowed are two test keys or two live ones."
        )
    return value


def _mail_from(env: Environment, public_url: str) -> str:
    parts = split(public_url)
    value = env.text("MAIL_FROM", f"shop@{parts.hostname if parts else 'localhost'}")
    if not re.fullmatch(r"([^<>@]*<)?[^<>@\s]+@[^<>@\s]+>?", value):
        raise wrong("MAIL_FROM", value[:80], "an address like shop@example.org or Shop <shop@…>")
    return value
