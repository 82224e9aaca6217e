"""Mail goes out: by SMTP, or into a folder when no server is set.

What a mail server answers often quotes addresses, so none of its texts leave this module: errors
and log lines carry the reply's number and words of our own.
https://datatracker.ietf.org/doc/html/rfc5321#section-4.2.1
"""

import logging
import os
import re
import secrets
import smtplib
import ssl
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from pathlib import Path
from urllib.parse import unquote, urlsplit

from storefront.domain.errors import MailRefused

TIMEOUT_SECONDS = 10
"""For each answer of the mail server."""
AT_ONCE = 4
"""Mails on their way at one moment in one process, so that a slow mail server leaves threads for
everything else that is due."""
PAUSE_SECONDS = 10
"""A server that could not be reached is left alone for so long: one mail waits for it, not all."""
TEMPORARY: tuple[type[Exception], ...] = (OSError,)
"""What ``send`` raises when the same mail may well go out later; every error of smtplib is one."""

# Only what every mail server takes without quoting. It also keeps a second address, a comment and a
# line's end out of every header and command.
ADDRESS = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]+@[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]+")

log = logging.getLogger(__name__)


class MailerBusy(OSError):
    """As many mails as may be are on their way; a moment later there is room."""


def address(text: str, name: str = "") -> Address:
    """The one address in ``text``: ``shop@example.org`` or ``Shop <shop@example.org>``.

    ``name`` is shown when the text has no name of its own. A domain in letters beyond ASCII is
    written as servers know it. Raises ValueError, without quoting the text, for anything else.
    """
    shown, bracket, rest = text.strip().rpartition("<")
    found = rest.removesuffix(">").strip() if bracket else rest
    if not ADDRESS.fullmatch(found) or len(found) > 254:
        raise ValueError("not one plain mail address")
    user, _, domain = found.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("not the domain of a mail address") from None
    return Address(display_name=shown.strip().strip('"') or name, username=user, domain=domain)


class Mailer:
    """Sends one mail at a time for each caller. Safe to share between threads."""

    def __init__(self, smtp_url: str, mail_from: str, folder: Path) -> None:
        """``smtp_url`` as ``smtp://user:password@host:port`` or ``smtps://…``; empty: ``folder``.

        Without a port it is 465 for smtps, 587 for smtp with a user and 25 for smtp without.
        Special characters in user and password are percent-encoded.
        """
        parts = urlsplit(smtp_url)
        self._encrypted = parts.scheme == "smtps"
        self._host = parts.hostname or ""
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._port = parts.port or (465 if self._encrypted else 587 if self._user else 25)
        self._from = mail_from
        self._folder = folder
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._silent_until = 0.0

    @property
    def place(self) -> str:
        """Where mails go, for people: the server without its password, or the folder."""
        return f"{self._host}:{self._port}" if self._host else str(self._folder)

    def send(self, message: EmailMessage) -> None:
        """Hand the mail to the server for the address in its To header, or keep it as a file.

        Raises MailRefused when it can never be delivered: the recipient or the mail itself was
        refused for good (5xx). Raises one of TEMPORARY for everything else, also for what is wrong
        with the shop's own account, so that no mail is lost before the operator has mended it.
        """
        recipients = [found.addr_spec for found in message["To"].addresses]
        if len(recipients) != 1 or not ADDRESS.fullmatch(recipients[0]):
            raise MailRefused("a mail goes to exactly one plain address")
        if not self._host:
            self._keep(message, recipients[0])
            return
        if time.monotonic() < self._silent_until:
            raise TimeoutError("the mail server could not be reached a moment ago")
        if not self._slots.acquire(blocking=False):
            raise MailerBusy("enough mails are on their way")
        try:
            self._hand_over(message, recipients[0])
        finally:
            self._slots.release()

    def forget(self, address: str, orders: Collection[str]) -> int:
        """Delete the mails kept as files that went to an address or are about one of these orders.

        An empty address is nobody's. Answers how many there were; of mails that a server took none.
        """
        number = 0
        for file in self._folder.glob("*.eml") if not self._host else ():
            with suppress(FileNotFoundError):  # somebody else forgets the same
                with file.open("rb") as lines:
                    head = BytesHeaderParser(policy=SMTP).parse(lines)
                to = [found.addr_spec.lower() for found in head["To"].addresses]
                if (address and address.lower() in to) or head["X-Shop-Order"] in orders:
                    file.unlink()
                    number += 1
        return number

    def check(self) -> list[str]:
        """What keeps mails from going out, one sentence each with how to mend it; sends none."""
        try:
            sender = address(self._from).addr_spec
        except ValueError:
            return ["MAIL_FROM is not one plain address like shop@example.org: correct it."]
        if not self._host:
            return self._check_folder()
        try:
            with self._session() as smtp:
                code, _ = smtp.mail(sender)
                encrypted = isinstance(smtp.sock, ssl.SSLSocket)
        except OSError as error:
            return [f"The mail server {self.place} cannot be used ({_words(error)}): see SMTP_URL."]
        found = []
        if code != 250:
            found.append(
                f"The mail server {self.place} answers {code} to MAIL_FROM: set an address that "
                "it sends for."
            )
        if self._user and not encrypted:
            found.append(
                f"The mail server {self.place} offers no encryption, so the password travels "
                "readable: use smtps:// or a server with STARTTLS."
            )
        return found

    def _hand_over(self, message: EmailMessage, recipient: str) -> None:
        try:
            sender = address(self._from).addr_spec
        except ValueError:
            raise OSError("MAIL_FROM is not one plain mail address") from None
        with self._session() as smtp:
            try:
                smtp.send_message(message, sender, [recipient])
            except smtplib.SMTPSenderRefused as refused:
                raise _not_yet(refused.smtp_code, "MAIL_FROM was not accepted") from None
            except smtplib.SMTPRecipientsRefused as refused:
                code = refused.recipients[recipient][0]
                raise _refusal(code, "the recipient was not accepted") from None
            except smtplib.SMTPDataError as refused:
                raise _refusal(refused.smtp_code, "the mail was not accepted") from None
            except smtplib.SMTPNotSupportedError:
                raise MailRefused("the mail server takes no such address (SMTPUTF8)") from None
            except smtplib.SMTPResponseException as refused:
                raise _not_yet(refused.smtp_code, "the mail server gave up") from None
            except OSError:
                self._silent_until = time.monotonic() + PAUSE_SECONDS
                raise

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """A connection that is signed in. What goes wrong before that is never a mail's fault."""
        smtp: smtplib.SMTP | None = None
        try:
            try:
                smtp = self._connect()
                if self._user:
                    smtp.login(self._user, self._password)
            except smtplib.SMTPAuthenticationError as refused:
                raise _not_yet(refused.smtp_code, "the user or password is wrong") from None
            except UnicodeError:
                raise OSError("SMTP_URL holds letters that mail servers do not take") from None
        except OSError:
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            if smtp:
                smtp.close()
            raise
        try:
            yield smtp
            # The server has the mail by now: a goodbye that fails must not send it again.
            with suppress(OSError):
                smtp.quit()
        finally:
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        tls = ssl.create_default_context()
        if self._encrypted:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=tls)
        smtp = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            smtp.ehlo_or_helo_if_needed()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=tls)
        except (OSError, UnicodeError):
            smtp.close()
            raise
        return smtp

    def _keep(self, message: EmailMessage, recipient: str) -> None:
        """Write the mail to a file that appears all at once; names sort by time."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = time.time_ns()
        moment = datetime.fromtimestamp(now // 10**9, UTC).strftime("%Y%m%dT%H%M%S")
        name = f"{moment}.{now % 10**9:09d}Z-{secrets.token_hex(4)}.eml"
        draft = self._folder / f".{name}.part"
        policy = SMTP.clone(linesep="\n", utf8=not recipient.isascii())
        try:
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(message.as_bytes(policy=policy))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self._folder / name)
        finally:
            draft.unlink(missing_ok=True)
        log.info("mail kept as %s", name)

    def _check_folder(self) -> list[str]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            return [f"The folder for mails {self._folder} cannot be made ({_words(error)})."]
        if not os.access(self._folder, os.W_OK | os.X_OK):
            return [f"The folder for mails {self._folder} cannot be written to."]
        return []


def _refusal(code: int, what: str) -> Exception:
    """A refusal of this mail: for good with a 5xx, else to be tried again."""
    return MailRefused(f"{what} ({code})") if 500 <= code < 600 else _not_yet(code, what)


def _not_yet(code: int, what: str) -> smtplib.SMTPResponseException:
    return smtplib.SMTPResponseException(code, what)


def _words(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text if isinstance(text, str) else 'refused'}"
    return f"{type(error).__name__}: {error}"
