"""The instance folder: what this installation made for itself and keeps, its secrets included."""

import os
import secrets
from pathlib import Path

from werkzeug.security import generate_password_hash

SECRET_KEY = "secret_key"  # noqa: S105 (the name of a file)
ADMIN_PASSWORD_HASH = "admin_password_hash"  # noqa: S105


def read(instance: Path, name: str) -> str:
    """The text of a file in the folder, or an empty text when there is none."""
    try:
        return (instance / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def make_once(instance: Path, name: str, text: str) -> str:
    """Keeps ``text`` in the file unless it exists, and gives what the file holds now.

    Of several processes that start at once, one writes and all read the same: the file is complete
    before it gets its name. Only its owner may read it.
    """
    instance.mkdir(parents=True, exist_ok=True)
    draft = _draft(instance, name, text)
    try:
        os.link(draft, instance / name)
    except FileExistsError:
        return read(instance, name)
    finally:
        draft.unlink()
    return text


def replace(instance: Path, name: str, text: str) -> None:
    """Keeps ``text`` in the file, whatever it held, all at once. Only its owner may read it."""
    instance.mkdir(parents=True, exist_ok=True)
    _draft(instance, name, text).replace(instance / name)


def secret_key(instance: Path) -> str:
    """The key that signs sessions, forms and links: made at the first start, then always the same.

    Every process must have the same one, or a form that one process gave out fails in another.
    """
    return read(instance, SECRET_KEY) or make_once(instance, SECRET_KEY, secrets.token_hex(32))


def set_password(instance: Path, password: str) -> None:
    """Lets the admin in with this password from now on; only its scrypt hash is kept."""
    replace(instance, ADMIN_PASSWORD_HASH, generate_password_hash(password, method="scrypt"))


def first_password(instance: Path) -> str | None:
    """A new password for the admin when there was none yet, to be shown once; else None."""
    if read(instance, ADMIN_PASSWORD_HASH):
        return None
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    made = generate_password_hash(password, method="scrypt")
    return password if make_once(instance, ADMIN_PASSWORD_HASH, made) == made else None


def _draft(instance: Path, name: str, text: str) -> Path:
    draft = instance / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft
