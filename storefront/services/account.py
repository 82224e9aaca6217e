"""Who gets in as the operator: the password, one-time codes, and how often they may be tried."""

import base64
import hashlib
import hmac
import io
import secrets

import pyotp
import segno
from werkzeug.security import check_password_hash

from storefront.services.shop import Shop
from storefront.storage.answers import CodesConfirmed, CodeUsed

FREE_TRIES = 10
FIRST_WAIT_MS = 2_000
LONGEST_WAIT_MS = 60_000
CALM_MS = 3_600_000
STEP_SECONDS = 30
NEAR = (-1, 0, 1)
"""Steps around now whose codes count: clocks differ, and typing takes a while."""
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
LONGEST_CODE = 64


def count_try(shop: Shop) -> int:
    """Seconds until somebody may try to get in; 0 when this try is counted and may be made."""
    wait = shop.store.scripts.count_try(
        free=FREE_TRIES,
        first_ms=FIRST_WAIT_MS,
        longest_ms=LONGEST_WAIT_MS,
        calm_ms=CALM_MS,
    )
    return -(-wait // 1000)


def count_refusal(shop: Shop) -> None:
    """Count for ``/metrics`` that somebody tried too often."""
    shop.store.count("limited:logins")


def opens(shop: Shop, password: str, code: str) -> bool:
    """Whether this is the password and, where they are asked for, a code that was never used.

    Both are looked at whatever the other is, and a code is used up only by the right password.
    """
    kept = shop.settings.admin_password_hash
    right = bool(kept) and check_password_hash(kept, password)
    secret = shop.store.account.secret()
    if not secret:
        return right
    typed = _plain(code)
    step = _step(shop, secret, typed)
    if not right:
        return False
    if step is None:
        return shop.store.account.use_recovery(_digest(typed))
    return shop.store.scripts.use_code(secret, step) is CodeUsed.USED


def asks_for_codes(shop: Shop) -> bool:
    """Whether a one-time code is asked for beside the password."""
    return bool(shop.store.account.secret())


def generation(shop: Shop) -> str:
    """What a session must have been begun with to count."""
    return shop.store.account.generation()


def begin(shop: Shop) -> str:
    """The generation of a session that begins now."""
    return shop.store.account.begin_generation(_new_generation())


def forget_tries(shop: Shop) -> None:
    """Somebody got in: nobody has to wait for what was tried before."""
    shop.store.account.forget_tries()


def sign_out_everywhere(shop: Shop) -> None:
    """End every session, and know no browser any more."""
    shop.store.account.renew_generation(_new_generation())


def recovery_left(shop: Shop) -> int:
    """How many recovery codes are unused."""
    return shop.store.account.recovery_left()


def begin_codes(shop: Shop) -> str:
    """The secret to set a phone up with; the same for ten minutes. It counts once confirmed."""
    return shop.store.account.draft(pyotp.random_base32())


def picture(shop: Shop) -> bytes | None:
    """The code by which a phone takes the secret that is being set up; None when none is."""
    secret = shop.store.account.draft()
    if not secret:
        return None
    name = shop.settings.shop_name
    code = segno.make_qr(pyotp.TOTP(secret).provisioning_uri(name="admin", issuer_name=name))
    file = io.BytesIO()
    code.save(file, kind="svg", light="#fff", omitsize=True, svgclass=None, lineclass=None)
    return file.getvalue()


def confirm_codes(shop: Shop, code: str) -> tuple[str, ...] | None:
    """Ask for codes from now on; the recovery codes, to be shown once.

    None when this is no code of the secret that is being set up. Ends every session.
    """
    secret = shop.store.account.draft()
    step = _step(shop, secret, _plain(code)) if secret else None
    if step is None:
        return None
    codes = _new_recovery()
    word = shop.store.scripts.confirm_codes(
        secret, step, generation=_new_generation(), recovery=[_digest(one) for one in codes]
    )
    return tuple(_grouped(one) for one in codes) if word is CodesConfirmed.ON else None


def renew_recovery(shop: Shop) -> tuple[str, ...]:
    """New recovery codes, to be shown once; those of before count no more."""
    codes = _new_recovery()
    shop.store.account.replace_recovery([_digest(one) for one in codes])
    return tuple(_grouped(one) for one in codes)


def switch_codes_off(shop: Shop) -> None:
    """Ask for the password alone."""
    shop.store.account.switch_off()


def let_in_again(shop: Shop) -> None:
    """For who lost phone and recovery codes: no codes, no waiting, and no session of before."""
    switch_codes_off(shop)
    forget_tries(shop)
    sign_out_everywhere(shop)


def _new_generation() -> str:
    """Never one of before, not even after Redis was lost."""
    return secrets.token_urlsafe(12)


def _plain(code: str) -> str:
    """What was typed without the spaces and hyphens that make it easy to read."""
    return "".join(code[:LONGEST_CODE].replace("-", " ").split()).lower()


def _step(shop: Shop, secret: str, typed: str) -> int | None:
    """The time step whose code this is; as long for a wrong one as for a right one."""
    now = shop.store.now() // 1000 // STEP_SECONDS
    made = pyotp.TOTP(secret)
    found = None
    for step in (now + near for near in NEAR):
        if hmac.compare_digest(made.generate_otp(step).encode(), typed.encode()):
            found = step
    return found


def _new_recovery() -> list[str]:
    """Codes of 80 random bits: a plain hash keeps them, for nobody can go through so many."""
    return [
        base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
        for _ in range(RECOVERY_CODES)
    ]


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _digest(code: str) -> str:
    return hashlib.sha256(f"recovery:{code}".encode()).hexdigest()
