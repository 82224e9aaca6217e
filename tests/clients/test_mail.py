"""Mails reach a real mail server on this machine, or a folder."""

import logging
import ssl
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from storefront.clients import mail
from storefront.clients.mail import TEMPORARY, Mailer, MailerBusy, address
from storefront.domain.errors import MailRefused
from tests.harness import free_port, wait_until

ADA = "ada@customer.example"
FROM = "The Night Moth <shop@moth.example>"


def letter(to: str = ADA, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = address(FROM), address(to)
    message["Subject"] = "Größe und Güte"
    for name, value in headers.items():
        message[name] = value
    message.set_content("Drei Zeilen:\n.\nschön\n")
    return message


@dataclass
class Post:
    """What a mail server got, and what it answers."""

    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    connections: int = 0
    begun: int = 0
    hangs_up: bool = False
    """The connection breaks at QUIT, without an answer."""
    answers: dict[str, str] = field(default_factory=dict)
    """By command: what is answered instead of yes."""
    hold: threading.Event | None = None
    """The mail is not taken before this is set."""

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return answers

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        envelope.mail_from = sender
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.begun += 1
        if self.hold:
            await server.loop.run_in_executor(None, self.hold.wait)
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 taken"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hangs_up:
            server.transport.abort()
        return "221 Bye"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login, data.password) == (b"moth", b"l@mp/light")
        return AuthResult(success=right, handled=False)


@contextmanager
def served(post: Post, **options: Any) -> Iterator[Controller]:
    controller = Controller(post, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller
    finally:
        controller.stop()


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def server(post: Post) -> Iterator[Controller]:
    """A mail server without encryption, for this machine."""
    with served(post, enable_SMTPUTF8=True) as controller:
        yield controller


@pytest.fixture
def mailer(server: Controller, tmp_path: Path) -> Mailer:
    return Mailer(f"smtp://127.0.0.1:{server.port}", FROM, tmp_path / "mail")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of ``localhost``, which nobody trusts yet."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """This process trusts the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


# By SMTP.


def test_a_mail_arrives_whole(mailer: Mailer, post: Post) -> None:
    mailer.send(letter())
    [mail_], [envelope] = post.mails, post.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@moth.example", [ADA])
    assert mail_["Subject"] == "Größe und Güte"
    assert mail_.get_content().splitlines() == ["Drei Zeilen:", ".", "schön"]


def test_only_ascii_travels_to_an_ascii_address(mailer: Mailer, post: Post) -> None:
    message = letter()
    message.set_content("schön\n", cte="quoted-printable")
    mailer.send(message)
    content = post.envelopes[0].content
    assert isinstance(content, bytes)
    assert content.isascii()


def test_an_address_beyond_ascii_is_reached_when_the_server_can(mailer: Mailer, post: Post) -> None:
    mailer.send(letter("jörg@münchen.example"))
    assert post.envelopes[0].rcpt_tos == ["jörg@xn--mnchen-3ya.example"]


def test_an_address_beyond_ascii_is_refused_when_the_server_cannot(tmp_path: Path) -> None:
    with served(Post(), enable_SMTPUTF8=False) as server:
        mailer = Mailer(f"smtp://127.0.0.1:{server.port}", FROM, tmp_path)
        with pytest.raises(MailRefused):
            mailer.send(letter("jörg@münchen.example"))


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_5xx_for_the_recipient_or_the_mail_is_final(
    mailer: Mailer, post: Post, command: str
) -> None:
    post.answers[command] = "550 no"
    with pytest.raises(MailRefused):
        mailer.send(letter())


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_4xx_for_the_recipient_or_the_mail_may_go_later(
    mailer: Mailer, post: Post, command: str
) -> None:
    post.answers[command] = "451 come back later"
    with pytest.raises(TEMPORARY):
        mailer.send(letter())
    post.answers.clear()
    mailer.send(letter())
    assert len(post.mails) == 1


@pytest.mark.parametrize("code", [450, 550])
def test_a_refused_sender_loses_no_mail(mailer: Mailer, post: Post, code: int) -> None:
    """It is the shop's setting that is wrong, not the mail."""
    post.answers["MAIL"] = f"{code} not you"
    with pytest.raises(TEMPORARY, match="MAIL_FROM"):
        mailer.send(letter())


def test_a_failed_goodbye_does_not_undo_what_the_server_took(mailer: Mailer, post: Post) -> None:
    post.hangs_up = True
    mailer.send(letter())
    assert len(post.mails) == 1


def test_the_server_s_texts_go_nowhere(
    mailer: Mailer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """They quote addresses. Neither the error nor the log has one."""
    caplog.set_level(logging.DEBUG, "storefront")
    for code in (450, 550):
        post.answers["RCPT"] = f"{code} <{ADA}> unknown here"
        with pytest.raises((MailRefused, *TEMPORARY)) as caught:
            mailer.send(letter())
        assert "customer" not in str(caught.value)
        assert caught.value.__suppress_context__
    assert "customer" not in caplog.text


def test_nobody_listening_is_temporary(tmp_path: Path) -> None:
    mailer = Mailer(f"smtp://127.0.0.1:{free_port()}", FROM, tmp_path)
    with pytest.raises(TEMPORARY):
        mailer.send(letter())


def test_a_server_that_could_not_be_reached_is_left_alone_for_a_while(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, clock = free_port(), [1000.0]
    monkeypatch.setattr(mail, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    mailer = Mailer(f"smtp://127.0.0.1:{port}", FROM, tmp_path)
    with pytest.raises(ConnectionRefusedError):
        mailer.send(letter())
    clock[0] += mail.PAUSE_SECONDS - 1
    with pytest.raises(TimeoutError):
        mailer.send(letter())
    clock[0] += 1
    with pytest.raises(ConnectionRefusedError):
        mailer.send(letter())


def test_only_so_many_mails_are_on_their_way_at_once(mailer: Mailer, post: Post) -> None:
    """A slow server holds up as many threads as that, and no more."""
    post.hold = threading.Event()
    threads = [threading.Thread(target=mailer.send, args=[letter()]) for _ in range(mail.AT_ONCE)]
    try:
        for thread in threads:
            thread.start()
        wait_until(lambda: post.begun == mail.AT_ONCE, "every one of them is being taken")
        with pytest.raises(MailerBusy):
            mailer.send(letter())
    finally:
        post.hold.set()
        for thread in threads:
            thread.join()
    mailer.send(letter())
    assert len(post.mails) == mail.AT_ONCE + 1


# Encryption and passwords.


def test_starttls_is_used_when_offered(
    post: Post, tls: ssl.SSLContext, trusted: None, tmp_path: Path
) -> None:
    with served(post, tls_context=tls, require_starttls=True) as server:
        Mailer(f"smtp://localhost:{server.port}", FROM, tmp_path).send(letter())
    assert post.encrypted == [True]


def test_smtps_is_encrypted_from_the_first_byte(
    post: Post, tls: ssl.SSLContext, trusted: None, tmp_path: Path
) -> None:
    with served(post, ssl_context=tls) as server:
        Mailer(f"smtps://localhost:{server.port}", FROM, tmp_path).send(letter())
    assert len(post.mails) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    post: Post, tls: ssl.SSLContext, tmp_path: Path, scheme: str
) -> None:
    options = {"ssl_context": tls} if scheme == "smtps" else {"tls_context": tls}
    with served(post, **options) as server:
        mailer = Mailer(f"{scheme}://localhost:{server.port}", FROM, tmp_path)
        with pytest.raises(ssl.SSLCertVerificationError):
            mailer.send(letter())
    assert post.mails == []


@pytest.fixture
def guarded(post: Post, tls: ssl.SSLContext, trusted: None) -> Iterator[Controller]:
    """A mail server that wants a password, over STARTTLS."""
    with served(
        post,
        tls_context=tls,
        require_starttls=True,
        auth_required=True,
        authenticator=post.authenticate,
    ) as controller:
        yield controller


def test_user_and_password_may_hold_special_characters(
    post: Post, guarded: Controller, tmp_path: Path
) -> None:
    Mailer(f"smtp://moth:l%40mp%2Flight@localhost:{guarded.port}", FROM, tmp_path).send(letter())
    assert len(post.mails) == 1


def test_a_wrong_password_loses_no_mail(post: Post, guarded: Controller, tmp_path: Path) -> None:
    """The server answers 535, but it is not the mail that is wrong."""
    mailer = Mailer(f"smtp://moth:dark@localhost:{guarded.port}", FROM, tmp_path)
    with pytest.raises(TEMPORARY, match="user or password"):
        mailer.send(letter())


def test_a_password_that_smtp_cannot_carry_loses_no_mail(
    guarded: Controller, tmp_path: Path
) -> None:
    mailer = Mailer(f"smtp://moth:l%C3%A4mp@localhost:{guarded.port}", FROM, tmp_path)
    with pytest.raises(TEMPORARY):
        mailer.send(letter())


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("smtp://mail.example", "mail.example:25"),
        ("smtp://moth:light@mail.example", "mail.example:587"),
        ("smtps://moth:light@mail.example", "mail.example:465"),
        ("smtp://moth:light@mail.example:2525", "mail.example:2525"),
    ],
)
def test_the_port_follows_from_the_scheme_and_the_password_is_not_shown(
    url: str, place: str, tmp_path: Path
) -> None:
    assert Mailer(url, FROM, tmp_path).place == place


# Headers and addresses.


@pytest.mark.parametrize("name", ["Subject", "From", "To", "X-Shop-Mail"])
def test_a_line_s_end_cannot_get_into_a_header(name: str) -> None:
    message = EmailMessage()
    with pytest.raises(ValueError, match=r"newline|linefeed|carriage return"):
        message[name] = "a@b.example\r\nBcc: eve@evil.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@b.example",
        "ada@",
        "ada@b.example, eve@evil.example",
        "ada@b.example eve@evil.example",
        "ada@b.example\r\nBcc: eve@evil.example",
        "ada@b.example\nBcc: eve@evil.example",
        "ada@b.example\u2028Bcc: eve@evil.example",
        "ada@b.example>",
        "ada@b@evil.example",
        '"ada\r\n"@b.example',
        "ada@b..example",
        "group: ada@b.example;",
        "a" * 250 + "@b.example",
    ],
)
def test_what_is_not_one_plain_address_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="mail address") as caught:
        address(text)
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("shop@moth.example", "Moth <shop@moth.example>"),
        ("Moon <shop@moth.example>", "Moon <shop@moth.example>"),
        ('"Moon" <shop@moth.example>', "Moon <shop@moth.example>"),
        ("Moon, Sun & Co <shop@moth.example>", '"Moon, Sun & Co" <shop@moth.example>'),
        ("shop@löwe.example", "Moth <shop@xn--lwe-sna.example>"),
    ],
)
def test_the_operator_s_address_may_have_a_name(text: str, written: str) -> None:
    assert str(address(text, "Moth")) == written


@pytest.mark.parametrize("to", ["ada@b.example, eve@evil.example", "Undisclosed:;"])
def test_a_mail_goes_to_exactly_one_address(mailer: Mailer, post: Post, to: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = address(FROM), to
    message.set_content("x")
    with pytest.raises(MailRefused):
        mailer.send(message)
    assert post.connections == 0


# As files.


@pytest.fixture
def keeper(tmp_path: Path) -> Mailer:
    return Mailer("", FROM, tmp_path / "instance" / "mail")


def kept(mailer: Mailer) -> list[Path]:
    return sorted(Path(mailer.place).glob("*.eml"))


def test_without_a_server_a_mail_is_kept_as_a_file(keeper: Mailer) -> None:
    keeper.send(letter())
    [file] = kept(keeper)
    mail_ = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert mail_["To"] == ADA
    assert mail_["Subject"] == "Größe und Güte"
    assert mail_.get_content() == "Drei Zeilen:\n.\nschön\n"


def test_the_files_names_sort_by_time(keeper: Mailer) -> None:
    for number in range(20):
        keeper.send(letter(**{"X-Number": str(number)}))
    found = [message_from_bytes(file.read_bytes())["X-Number"] for file in kept(keeper)]
    assert found == [str(number) for number in range(20)]


def test_only_the_owner_reads_kept_mails(keeper: Mailer) -> None:
    keeper.send(letter())
    [file] = kept(keeper)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_kept_mail_appears_only_when_it_is_whole(
    keeper: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full leaves nothing behind that looks like a mail."""

    def full(_fd: int) -> None:
        assert kept(keeper) == []
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mail.os, "fsync", full)
    with pytest.raises(TEMPORARY):
        keeper.send(letter())
    assert list(Path(keeper.place).iterdir()) == []


def test_a_kept_mail_shows_an_address_beyond_ascii(keeper: Mailer) -> None:
    keeper.send(letter("jörg@münchen.example"))
    [file] = kept(keeper)
    assert "jörg@xn--mnchen-3ya.example" in file.read_text("utf-8")


# What doctor asks.


def test_all_is_well_with_a_server_that_takes_mails(mailer: Mailer, post: Post) -> None:
    assert mailer.check() == []
    assert post.mails == []


def test_all_is_well_with_a_folder(keeper: Mailer) -> None:
    assert keeper.check() == []
    assert kept(keeper) == []


def broken_folder(folder: Path) -> Mailer:
    folder.write_text("a file, not a folder")
    return Mailer("", FROM, folder)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: Mailer(f"smtp://127.0.0.1:{free_port()}", FROM, path), "SMTP_URL"),
        (lambda path: Mailer("", "nobody", path), "MAIL_FROM"),
        (broken_folder, "cannot be made"),
    ],
)
def test_what_keeps_mails_from_going_out_is_said_in_a_sentence(
    make: Callable[[Path], Mailer], said: str, tmp_path: Path
) -> None:
    [problem] = make(tmp_path / "mail").check()
    assert said in problem
    assert problem.endswith(".")


def test_a_sender_that_the_server_does_not_know_is_reported(mailer: Mailer, post: Post) -> None:
    post.answers["MAIL"] = "550 not you"
    [problem] = mailer.check()
    assert "550 to MAIL_FROM" in problem


def test_a_password_that_travels_readable_is_reported(post: Post, tmp_path: Path) -> None:
    with served(post, authenticator=post.authenticate, auth_require_tls=False) as server:
        url = f"smtp://moth:l%40mp%2Flight@127.0.0.1:{server.port}"
        [problem] = Mailer(url, FROM, tmp_path).check()
    assert "readable" in problem
    assert "l@mp" not in problem


def test_a_wrong_password_is_reported_without_it(guarded: Controller, tmp_path: Path) -> None:
    [problem] = Mailer(f"smtp://moth:dark@localhost:{guarded.port}", FROM, tmp_path).check()
    assert "535" in problem
    assert "dark" not in problem
