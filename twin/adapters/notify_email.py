"""Alarms by mail over SMTP, plain text; the same notice has the same Message-ID however often it is sent."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime

from twin.alarms.notices import Notice
from twin.errors import SinkRejected, SinkUnavailable
from twin.outgoing import Outgoing
from twin.times import moment
from twin.tls import why

__all__ = ["EmailChannel", "Server", "mail"]


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in. `tls` with `starttls` False: from the start; None: not at all."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    starttls: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    patience_s: float = 5.0  # for each answer of the server


def mail(one: Outgoing, sender: str, to: Sequence[str]) -> EmailMessage:
    """The mail of a notice."""
    notice = one.notice
    message = EmailMessage()
    message["From"], message["To"] = sender, ", ".join(to)
    message["Subject"] = notice.subject
    message["Date"] = format_datetime(moment(notice.time))
    name = hashlib.sha256(f"{one.channel}\n{one.key}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{name}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Priority"] = {"high": "1", "medium": "3", "low": "5"}[notice.priority]
    message.set_content(notice.text)
    return message


class EmailChannel:
    """One sender and its receivers on one mail server; a connection a mail."""

    most = 1
    digests = True
    refresh_s = 0.0

    def __init__(self, server: Server, sender: str, to: Sequence[str]) -> None:
        self._server, self._sender, self._to = server, sender, list(to)

    async def send(self, batch: Sequence[Outgoing]) -> None:
        """One after the other."""
        for one in batch:
            await asyncio.to_thread(self._hand_in, mail(one, self._sender, self._to))

    def _hand_in(self, message: EmailMessage) -> None:
        server = self._server
        try:
            with self._connected() as smtp:
                if server.tls is not None and server.starttls:
                    smtp.starttls(context=server.tls)
                if server.user:
                    smtp.login(server.user, server.password)
                smtp.send_message(message, self._sender, self._to)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _refused(code, said) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise SinkRejected(f"the mail server cannot do what is asked: {error}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise SinkUnavailable(why(error)) from error

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.tls is not None and not server.starttls:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=server.patience_s, context=server.tls)
        return smtplib.SMTP(server.host, server.port, timeout=server.patience_s)

    async def refresh(self, standing: Sequence[Notice]) -> None:
        """Each notice is sent once."""

    async def close(self) -> None:
        """Nothing is held."""


def _refused(code: int, said: bytes | str) -> SinkUnavailable | SinkRejected:
    """4xx: later; 5xx: never, but a server that refuses the user (535) may be set right."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    problem = f"the mail server answers {code} {text}"
    return SinkRejected(problem) if code >= 500 and code not in (530, 535) else SinkUnavailable(problem)
