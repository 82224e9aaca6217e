"""Every setting is checked at start; a wrong one is one sentence that names it and shows no secret."""

import os
import re
import stat
import threading
from pathlib import Path

import pytest
from werkzeug.security import check_password_hash, generate_password_hash

from storefront import instance as folder
from storefront.environment import Environment, SettingsError, loopback
from storefront.settings import STANDIN_KEY, load_settings, read_settings

PASSWORD_HASH = generate_password_hash("open sesame", method="scrypt")
PRODUCTION = {
    "SHOP_ENV": "production",
    "SECRET_KEY": "k" * 40,
    "PUBLIC_URL": "https://shop.example.org",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "STRIPE_SECRET_KEY": "sk_live_abcdef",
    "STRIPE_WEBHOOK_SECRET": "whsec_one",
    "ADMIN_PASSWORD_HASH": PASSWORD_HASH,
}


def refused(environ: dict[str, str], instance: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, instance)
    return str(caught.value)


def test_development_needs_nothing(tmp_path: Path):
    settings = load_settings({}, tmp_path)
    assert settings.env == "development"
    assert settings.public_url == "http://localhost:8000"
    assert settings.redis_url == ""
    assert (settings.shop_id, settings.shop_name) == ("popup", "Pop-up shop")
    assert (settings.shop_currency, settings.shop_locale) == ("usd", "en_US")
    assert settings.shop_languages == ("en", "de")
    assert settings.standin
    assert settings.stripe_secret_key == STANDIN_KEY
    assert settings.stripe_api_base == "http://localhost:8001"
    assert settings.stripe_webhook_secrets[0].startswith("whsec_")
    assert (settings.checkout_ui, settings.capture_method) == ("hosted", "automatic")
    assert (settings.hold_seconds, settings.hold_grace_seconds) == (1920, 300)
    assert (settings.offer_seconds, settings.reconcile_seconds) == (7200, 3600)
    assert settings.retention_days == 0
    assert (settings.live_streams, settings.hold_extend_seconds) == (10_000, 600)
    assert (settings.max_per_order, settings.holds_per_visitor, settings.holds_per_ip) == (
        10,
        1,
        20,
    )
    assert settings.rate_limit
    assert settings.shop_worker
    assert settings.trusted_proxies == 0
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.web_concurrency == os.cpu_count()
    assert settings.pictures == tmp_path / "pictures"
    assert (settings.https, settings.livemode) == (False, False)
    assert settings.warnings() == []


def test_an_empty_variable_counts_as_not_set(tmp_path: Path):
    names = Environment({})
    read_settings(names, tmp_path)
    assert load_settings(dict.fromkeys(names.read, ""), tmp_path) == load_settings({}, tmp_path)


def test_another_port_moves_the_addresses_that_follow_from_it(tmp_path: Path):
    settings = load_settings({"PORT": "9000"}, tmp_path)
    assert settings.public_url == "http://localhost:9000"
    assert settings.stripe_api_base == "http://localhost:9001"
    assert load_settings({"PORT": "65535"}, tmp_path).standin_port == 65534
    assert load_settings({"STANDIN_PORT": "7000"}, tmp_path).stripe_api_base.endswith(":7000")


def test_production_with_all_that_is_needed_starts(tmp_path: Path):
    settings = load_settings(PRODUCTION, tmp_path)
    assert (settings.https, settings.livemode, settings.standin) == (True, True, False)
    assert settings.stripe_api_base == ""
    assert not settings.shop_worker
    assert settings.warnings() == []
    assert list(tmp_path.iterdir()) == [], "nothing is filled in"


@pytest.mark.parametrize("missing", [name for name in PRODUCTION if name != "SHOP_ENV"])
def test_production_names_what_is_missing(missing: str, tmp_path: Path):
    sentence = refused({**PRODUCTION, missing: ""}, tmp_path)
    assert set(re.findall(r"[A-Z_]{3,}", sentence)) - {"SHOP_ENV", "README"} == {missing}
    assert "README" in sentence


def test_production_names_all_that_is_missing_at_once(tmp_path: Path):
    sentence = refused({"SHOP_ENV": "production"}, tmp_path)
    assert all(name in sentence for name in PRODUCTION)


def test_a_password_set_by_command_counts_in_production(tmp_path: Path):
    folder.set_password(tmp_path, "open sesame")
    settings = load_settings({**PRODUCTION, "ADMIN_PASSWORD_HASH": ""}, tmp_path)
    assert check_password_hash(settings.admin_password_hash, "open sesame")


def test_production_refuses_an_unencrypted_address_but_for_this_machine(tmp_path: Path):
    sentence = refused({**PRODUCTION, "PUBLIC_URL": "http://shop.example.org"}, tmp_path)
    assert "PUBLIC_URL" in sentence
    assert "http://shop.example.org" in sentence
    for local in ("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"):
        assert load_settings({**PRODUCTION, "PUBLIC_URL": local}, tmp_path).public_url == local


def test_test_keys_and_an_unencrypted_api_base_are_taken_with_a_warning(tmp_path: Path):
    environ = {
        **PRODUCTION,
        "STRIPE_SECRET_KEY": "sk_test_abcdef",
        "STRIPE_API_BASE": "http://127.0.0.1:9999",
    }
    first, second = load_settings(environ, tmp_path).warnings()
    assert "STRIPE_SECRET_KEY is a test key" in first
    assert "STRIPE_API_BASE is http://127.0.0.1:9999" in second


def test_a_key_without_a_webhook_secret_starts_in_development_with_a_warning(tmp_path: Path):
    settings = load_settings({"STRIPE_SECRET_KEY": "sk_test_abcdef"}, tmp_path)
    assert settings.stripe_webhook_secrets == ()
    assert not settings.standin
    (warning,) = settings.warnings()
    assert "STRIPE_WEBHOOK_SECRET is not set" in warning


def test_an_api_base_without_a_key_is_another_stand_in(tmp_path: Path):
    settings = load_settings({"STRIPE_API_BASE": "http://127.0.0.1:9999/"}, tmp_path)
    assert not settings.standin
    assert settings.stripe_secret_key == STANDIN_KEY
    assert settings.stripe_api_base == "http://127.0.0.1:9999"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("SHOP_ENV", "staging", "development or production"),
        ("SECRET_KEY", "short", "8 characters or more"),
        ("SECRET_KEY_FALLBACKS", "long-enough,short", "8 characters or more"),
        ("PUBLIC_URL", "shop.example.org", "an address like"),
        ("PUBLIC_URL", "ftp://shop.example.org", "an address like"),
        ("PUBLIC_URL", "https://shop.example.org/path", "an address like"),
        ("PUBLIC_URL", "https://shop.example.org?a=1", "an address like"),
        ("PUBLIC_URL", "https://name:word@shop.example.org", "an address like"),
        ("PUBLIC_URL", "https://shop.example.org:99999", "an address like"),
        ("PUBLIC_URL", "https://", "an address like"),
        ("PUBLIC_URL", "https://shop example.org", "an address like"),
        ("REDIS_URL", "localhost:6379", "redis:// or rediss:// or unix://"),
        ("REDIS_URL", "http://localhost", "redis:// or rediss:// or unix://"),
        ("REDIS_URL", "redis://", "redis:// or rediss:// or unix://"),
        ("REDIS_URL", "redis://localhost:port", "redis:// or rediss:// or unix://"),
        ("REDIS_URL", "unix://", "redis:// or rediss:// or unix://"),
        ("REDIS_URL", "redis+sentinel://a:1,b:2/main/0", "redis://, rediss:// and unix://"),
        ("REDIS_URL", "redis+cluster://a:1,b:2", "redis://, rediss:// and unix://"),
        ("SHOP_ID", "my shop", "letters, digits"),
        ("SHOP_ID", "shop{1}", "letters, digits"),
        ("SHOP_ID", "a" * 65, "1 to 64"),
        ("SHOP_NAME", "a\tb", "one line"),
        ("SHOP_NAME", "a" * 101, "100 characters"),
        ("SHOP_CURRENCY", "dollars", "ISO 4217"),
        ("SHOP_CURRENCY", "zzz", "ISO 4217"),
        ("SHOP_LOCALE", "klingon_XX_1", "en_US"),
        ("SHOP_LANGUAGES", "en,tlh", "de, en"),
        ("SHOP_TIMEZONE", "Europe/Atlantis", "Europe/Berlin"),
        ("SHOP_TIMEZONE", "../etc/passwd", "Europe/Berlin"),
        ("STRIPE_SECRET_KEY", "pk_test_abc", "sk_ or rk_"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_test_abc", "pk_"),
        ("STRIPE_PUBLISHABLE_KEY", "pk_live_abc", "two test keys or two live ones"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_a,secret_b", "whsec_"),
        ("STRIPE_API_BASE", "api.stripe.com", "an address like"),
        ("STRIPE_JS_URL", "js.stripe.com/v3", "http or https"),
        ("STRIPE_JS_URL", "https://js.example.org/'; script-src *", "http or https"),
        ("CHECKOUT_UI", "popup", "hosted or elements"),
        ("CAPTURE_METHOD", "later", "automatic or manual"),
        ("HOLD_SECONDS", "0", "seconds from 1"),
        ("HOLD_SECONDS", "-5", "seconds from 1"),
        ("HOLD_SECONDS", "1e3", "seconds from 1"),
        ("HOLD_SECONDS", "30 minutes", "seconds from 1"),
        ("HOLD_SECONDS", "99999999999999999999", "seconds from 1"),
        ("HOLD_SECONDS", "١٢", "seconds from 1"),
        ("HOLD_GRACE_SECONDS", "-1", "seconds from 0"),
        ("OFFER_SECONDS", "0", "seconds from 1"),
        ("HOLD_EXTEND_SECONDS", "-1", "seconds from 0"),
        ("LIVE_STREAMS", "-1", "open pages from 0"),
        ("RECONCILE_SECONDS", "soon", "seconds from 1"),
        ("RETENTION_DAYS", "-1", "days from 0"),
        ("SHOP_WORKER", "maybe", "on or off"),
        ("MAX_PER_ORDER", "0", "units from 1"),
        ("HOLDS_PER_VISITOR", "0", "holds from 1"),
        ("HOLDS_PER_IP", "-1", "holds from 0"),
        ("RATE_LIMIT", "100", "on or off"),
        ("TRUSTED_PROXIES", "yes", "proxies from 0"),
        ("SMTP_URL", "mail.example.org", "smtp:// or smtps://"),
        ("MAIL_FROM", "shop", "shop@example.org"),
        ("MAIL_FROM", "shop@example.org, other@example.org", "shop@example.org"),
        ("ADMIN_PASSWORD_HASH", "open sesame", "Werkzeug"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("HOST", "a b", "address or name"),
        ("PORT", "0", "a port from 1 to 65535"),
        ("PORT", "65536", "a port from 1 to 65535"),
        ("STANDIN_PORT", "http", "a port from 1 to 65535"),
        ("WEB_CONCURRENCY", "0", "processes from 1"),
        ("METRICS_TOKEN", "two words", "without spaces"),
    ],
)
def test_a_wrong_setting_is_one_sentence(name: str, value: str, allowed: str, tmp_path: Path):
    sentence = refused({name: value}, tmp_path)
    assert name in sentence
    assert allowed in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_our_own_payment_page_needs_the_publishable_key(tmp_path: Path):
    own_page = {"CHECKOUT_UI": "elements", "STRIPE_SECRET_KEY": "sk_test_x"}
    assert "STRIPE_PUBLISHABLE_KEY" in refused(own_page, tmp_path)
    key = {"STRIPE_PUBLISHABLE_KEY": "pk_test_x"}
    assert load_settings(own_page | key, tmp_path).checkout_ui == "elements"
    built_in = load_settings({"CHECKOUT_UI": "elements"}, tmp_path)
    assert built_in.stripe_publishable_key.startswith("pk_test_")
    assert built_in.stripe_js_url.startswith(built_in.stripe_api_base)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "hunter2"),
        ("SECRET_KEY_FALLBACKS", "hunter2"),
        ("REDIS_URL", "rediz://:hunter2@localhost"),
        ("STRIPE_SECRET_KEY", "hunter2"),
        ("STRIPE_WEBHOOK_SECRET", "hunter2"),
        ("SMTP_URL", "smpt://me:hunter2@mail.example.org"),
        ("ADMIN_PASSWORD_HASH", "hunter2"),
        ("METRICS_TOKEN", "hunter2 hunter2"),
        ("PUBLIC_URL", "https://me:hunter2@shop.example.org"),
        ("STRIPE_API_BASE", "https://me:hunter2@shop.example.org"),
    ],
)
def test_a_wrong_secret_is_never_shown(name: str, value: str, tmp_path: Path):
    assert "hunter2" not in refused({name: value}, tmp_path)


def test_settings_show_no_secret_of_theirs(tmp_path: Path):
    secrets = {
        "SECRET_KEY": "hunter2-hunter2",
        "SECRET_KEY_FALLBACKS": "hunter2-fallback",
        "REDIS_URL": "redis://:hunter2@localhost",
        "STRIPE_SECRET_KEY": "sk_test_hunter2",
        "STRIPE_WEBHOOK_SECRET": "whsec_hunter2",
        "SMTP_URL": "smtp://me:hunter2@mail.example.org",
        "METRICS_TOKEN": "hunter2",
        "ADMIN_PASSWORD_HASH": PASSWORD_HASH,
    }
    shown = repr(load_settings(secrets, tmp_path))
    assert "hunter2" not in shown
    assert PASSWORD_HASH not in shown


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("PUBLIC_URL", "https://Shop.Example.org/", "public_url", "https://shop.example.org"),
        ("REDIS_URL", "rediss://me:word@r.example.org:6380/2", "redis_url", "rediss://me:word@r.example.org:6380/2"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1", "redis_url", "unix:///run/redis.sock?db=1"),
        ("SHOP_CURRENCY", "EUR", "shop_currency", "eur"),
        ("SHOP_LOCALE", "de-DE", "shop_locale", "de_DE"),
        ("SHOP_LANGUAGES", "de, EN,de", "shop_languages", ("de", "en")),
        ("SHOP_TIMEZONE", "Europe/Berlin", "shop_timezone", "Europe/Berlin"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_a, whsec_b", "stripe_webhook_secrets", ("whsec_a", "whsec_b")),
        ("SECRET_KEY_FALLBACKS", "old-key-1,old-key-2", "secret_key_fallbacks", ("old-key-1", "old-key-2")),
        ("HOLD_SECONDS", "1", "hold_seconds", 1),
        ("HOLDS_PER_IP", "0", "holds_per_ip", 0),
        ("RATE_LIMIT", "OFF", "rate_limit", False),
        ("SHOP_WORKER", "0", "shop_worker", False),
        ("MAIL_FROM", "Shop <shop@example.org>", "mail_from", "Shop <shop@example.org>"),
        ("HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("HOST", "::1", "host", "::1"),
    ],
)  # fmt: skip
def test_what_is_allowed_is_read(
    name: str, value: str, field: str, expected: object, tmp_path: Path
):
    assert getattr(load_settings({name: value}, tmp_path), field) == expected


def test_mails_come_from_the_shops_own_host_unless_told(tmp_path: Path):
    assert load_settings(PRODUCTION, tmp_path).mail_from == "shop@shop.example.org"


def test_the_stand_ins_secret_is_the_same_in_every_process_and_differs_between_shops(
    tmp_path: Path,
):
    first = load_settings({}, tmp_path / "a").stripe_webhook_secrets
    assert load_settings({}, tmp_path / "a").stripe_webhook_secrets == first
    assert load_settings({}, tmp_path / "b").stripe_webhook_secrets != first


def test_the_secret_key_is_made_once_by_however_many_processes_and_for_its_owner_only(
    tmp_path: Path,
):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_settings({}, tmp_path).secret_key))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) == 64
    assert stat.S_IMODE((tmp_path / folder.SECRET_KEY).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [folder.SECRET_KEY]


def test_the_first_password_is_given_once_and_only_its_hash_is_kept(tmp_path: Path):
    password = folder.first_password(tmp_path)
    assert folder.first_password(tmp_path) is None
    kept = (tmp_path / folder.ADMIN_PASSWORD_HASH).read_text()
    assert kept.startswith("scrypt:")
    assert password not in kept
    assert stat.S_IMODE((tmp_path / folder.ADMIN_PASSWORD_HASH).stat().st_mode) == 0o600
    assert check_password_hash(load_settings({}, tmp_path).admin_password_hash, password)


def test_a_set_password_replaces_the_first_one(tmp_path: Path):
    first = folder.first_password(tmp_path)
    folder.set_password(tmp_path, "open sesame")
    kept = load_settings({}, tmp_path).admin_password_hash
    assert check_password_hash(kept, "open sesame")
    assert not check_password_hash(kept, first)


def test_a_dotenv_file_beside_wsgi_is_read_and_the_environment_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text(
        f"SHOP_NAME=From the file\nSHOP_ID=file\nADMIN_PASSWORD_HASH='{PASSWORD_HASH}'\n"
    )
    monkeypatch.setattr("storefront.settings.ROOT", tmp_path)
    monkeypatch.setenv("SHOP_ID", "process")
    monkeypatch.delenv("SHOP_NAME", raising=False)
    settings = load_settings()
    assert (settings.shop_name, settings.shop_id) == ("From the file", "process")
    assert settings.admin_password_hash == PASSWORD_HASH
    assert settings.instance == tmp_path / "instance"


def test_the_instance_folder_can_be_elsewhere(tmp_path: Path):
    assert load_settings({"SHOP_INSTANCE": str(tmp_path / "kept")}).instance == tmp_path / "kept"


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("http://localhost:8000", True),
        ("http://shop.localhost", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:1", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example.org", False),
    ],
)
def test_loopback_is_this_machine_only(address: str, own: bool):
    assert loopback(address) is own


SENDS = {"DELIVERY": "both", "DELIVERY_COUNTRIES": "de, AT,de", "DELIVERY_RATE": "4.90"}


def test_delivery_is_off_until_it_is_set(tmp_path: Path):
    found = load_settings({"DELIVERY_COUNTRIES": "DE"}, tmp_path).delivering
    assert (found.delivery, found.delivery_countries, found.delivery_rate) == ("pickup", (), 0)
    assert (found.automatic_tax, found.promotion_codes) == (False, False)


def test_delivery_has_countries_a_rate_and_perhaps_a_sum_from_which_it_is_free(tmp_path: Path):
    found = load_settings({**SENDS, "DELIVERY_FREE_FROM": "50"}, tmp_path).delivering
    assert found.delivery_countries == ("DE", "AT")
    assert (found.delivery_rate, found.delivery_free_from) == (490, 5000)
    assert load_settings({**SENDS, "DELIVERY_RATE": "0"}, tmp_path).delivering.delivery_rate == 0
    yen = {**SENDS, "SHOP_CURRENCY": "jpy", "DELIVERY_RATE": "490"}
    assert load_settings(yen, tmp_path).delivering.delivery_rate == 490


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"DELIVERY": "post"}, "DELIVERY is 'post': allowed is pickup or delivery or both."),
        ({"DELIVERY_COUNTRIES": ""}, "DELIVERY_COUNTRIES is not set"),
        ({"DELIVERY_COUNTRIES": "DE,XX"}, "DELIVERY_COUNTRIES is 'XX': allowed is the two letters"),
        ({"DELIVERY_RATE": ""}, "DELIVERY_RATE is not set"),
        ({"DELIVERY_RATE": "4,90"}, "DELIVERY_RATE is no amount in SHOP_CURRENCY: '4,90'"),
        ({"DELIVERY_RATE": "4.905"}, "has more than the 2 decimals of usd"),
        ({"DELIVERY_FREE_FROM": "free"}, "DELIVERY_FREE_FROM is no amount"),
        ({"AUTOMATIC_TAX": "maybe"}, "AUTOMATIC_TAX is 'maybe': allowed is on or off."),
    ],
)
def test_delivery_that_is_set_wrongly_ends_the_start(
    tmp_path: Path, changes: dict[str, str], sentence: str
):
    with pytest.raises(SettingsError, match=re.escape(sentence)) as raised:
        load_settings({**SENDS, **changes}, tmp_path)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("name", ["AUTOMATIC_TAX", "PROMOTION_CODES"])
def test_tax_and_codes_are_for_stripe_s_own_page(tmp_path: Path, name: str):
    own = {"CHECKOUT_UI": "elements", name: "on"}
    sentence = f"{name} is on and CHECKOUT_UI is 'elements': allowed is on only with Stripe's own"
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        load_settings(own, tmp_path)
    assert load_settings({name: "on"}, tmp_path).delivering.automatic_tax is (
        name == "AUTOMATIC_TAX"
    )
