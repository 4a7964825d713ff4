"""Settings and the alarm file -> the alarms of a process: desk, book, channels with their senders, routes, commands."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.routing import Route

from twin.access import Access, Person
from twin.adapters import alarm_http
from twin.adapters.alarm_book import SqliteBook
from twin.adapters.alarm_mqtt import AlarmCommands
from twin.adapters.notify_alertmanager import AlertmanagerChannel
from twin.adapters.notify_apprise import AppriseChannel
from twin.adapters.notify_email import EmailChannel, Server
from twin.adapters.notify_mqtt import MqttChannel
from twin.adapters.notify_webhook import WebhookChannel
from twin.alarm_desk import AlarmDesk
from twin.alarm_output import AlarmFigures
from twin.alarms import routing
from twin.alarms.chain import Entry, Selection
from twin.alarms.commands import Answer, Command
from twin.alarms.routing import AlarmFile
from twin.connections import brokers_of, publisher_of
from twin.dispatch import Dispatcher, Limits
from twin.errors import ConfigError, SinkUnavailable
from twin.files import read_secret, secret_texts
from twin.frames import Readings
from twin.log import Say
from twin.metrics import Sample
from twin.outgoing import Channel
from twin.plant import Roster
from twin.ports import Clock
from twin.settings import Settings
from twin.shares import client_id
from twin.tls import client_context

__all__ = ["Alarms", "alarm_file_of", "alarm_secrets_of", "alarms_of", "with_people"]

Job = Callable[[], Coroutine[Any, Any, None]]


def alarm_file_of(settings: Settings, roster: Roster) -> AlarmFile:
    """The alarm file that `alarms.file` names; without one only the broker is told. Raises ConfigError."""
    name = settings["alarms.file"]
    if not name:
        return routing.default()
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"alarms.file = {name!r} cannot be read: {error}") from error
    return routing.parse(text, name, roster.paths)


def with_people(access: Access, file: AlarmFile) -> Access:
    """The access of the page, with the users of the alarm file. Raises ConfigError."""
    people = []
    for user in file.users:
        token = read_secret(user.token_file, f"user {user.name}: token_file")
        if len(token) < 16:
            raise ConfigError(f"user {user.name}: the token in {user.token_file!r} has less than 16 characters")
        people.append(Person(user.name, user.role, token))
    if len({person.token for person in people} | {access.token}) <= len(people):
        raise ConfigError("users: two of them have the same token, or one has that of page.token_file")
    return replace(access, people=tuple(people))


def alarms_of(settings: Settings, roster: Roster, clock: Clock, say: Say, access: Access) -> tuple[Alarms, Access]:
    """The alarms, to be entered, and who may ask the page: the users of the alarm file too. Raises ConfigError."""
    file = alarm_file_of(settings, roster)
    access = with_people(access, file)
    return Alarms(settings, roster, file, clock, say), access


def alarm_secrets_of(file: AlarmFile) -> list[str]:
    """The texts that no log line may hold. Raises ConfigError."""
    names = [
        getattr(c, n, "") for c in file.channels for n in ("secret_file", "password_file", "token_file", "url_file")
    ]
    names += [user.token_file for user in file.users]
    return [text for name in names if name for text in secret_texts(name, "token_file")]


class Alarms:
    """`async with`: opened, then closed. The desk is told by `hear`; `jobs` are to be run, and ended by `end`."""

    def __init__(self, settings: Settings, roster: Roster, file: AlarmFile, clock: Clock, say: Say) -> None:
        self.file, self._settings, self._roster, self._clock, self._say = file, settings, roster, clock, say
        self._book = SqliteBook(Path(settings["data.dir"]) / "alarms.sqlite")
        self._senders: list[Dispatcher] = []
        self._stack = AsyncExitStack()
        self._stack.callback(self._book.close)
        try:
            self.desk = AlarmDesk(roster, file, self._book, clock, say, self._wake)
        except BaseException:
            self._book.close()
            raise
        self.hear = self.desk.hear
        self._sites = [roster.paths[unit] for unit in roster.of_kind("site")]

    async def __aenter__(self) -> Alarms:
        for one in self.file.channels:
            channel = await self._channel(one)
            self._stack.push_async_callback(channel.close)
            limits = Limits(
                one.per_minute, one.digest_above, one.timeout_s, one.language or self.file.language, self.file.link
            )
            name = one.name
            self._senders.append(
                Dispatcher(name, channel, limits, self._book, self._clock, self._say,
                           lambda name=name: self.desk.standing(name))  # type: ignore[misc]
            )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _wake(self) -> None:
        for sender in self._senders:
            sender.wake()

    async def _channel(self, one: routing.Channel) -> Channel:
        where = f"alarms.file: channel {one.name}"
        if isinstance(one, routing.Mqtt):
            settings = self._settings
            publisher = publisher_of(settings, client_id(settings, one.name), retain=True, patience_s=5.0)
            await self._stack.enter_async_context(publisher)
            return MqttChannel(publisher, one.topic or f"{settings['mqtt.twin_root'] or 'twin'}/alarms")
        if isinstance(one, routing.Webhook):
            secret = read_secret(one.secret_file, f"{where}: secret_file")
            return WebhookChannel(one.url, self._clock, secret=secret, tls=_tls(one.ca_file))
        if isinstance(one, routing.Alertmanager):
            token = read_secret(one.token_file, f"{where}: token_file")
            return AlertmanagerChannel(one.url, self._clock, token=token, tls=_tls(one.ca_file), resend_s=one.resend_s)
        if isinstance(one, routing.Apprise):
            return AppriseChannel(read_secret(one.url_file, f"{where}: url_file"), one.name)
        tls = None if one.security == "none" else client_context(one.ca_file, section="channel")
        password = read_secret(one.password_file, f"{where}: password_file")
        server = Server(one.host, one.port, tls, one.security == "starttls", one.user, password, one.timeout_s / 3)
        return EmailChannel(server, one.sender, one.to)

    def jobs(self, access: Access, write: Callable[[Readings], Awaitable[None]]) -> dict[str, Job]:
        """What runs beside the others: the desk, its figures for the store (`write`), senders, and commands by MQTT."""
        output = AlarmFigures(self.desk, self._roster, write, self._clock, self._say)
        found: dict[str, Job] = {"alarms": self.desk.run, "alarm figures": output.run}
        for sender in self._senders:
            found[f"alarms to {sender.name}"] = sender.run
        if root := self._settings["mqtt.twin_root"]:
            at = brokers_of(self._settings)[0]
            options: dict[str, Any] = {
                "hostname": at.host, "port": at.port, "username": at.user or None, "password": at.password or None,
                "tls_context": at.context(), "identifier": client_id(self._settings, "commands"),
            }  # fmt: skip
            found["alarm commands"] = AlarmCommands(options, root, access, self._clock, self._act).run
        return found

    def _act(self, asked: Command) -> Awaitable[Answer]:
        return self.desk.act(asked)

    def broker(self, problem: str) -> None:
        """The broker is lost, for this reason, or ("") is back."""
        for site in self._sites:
            self.desk.told("broker_lost", site, on=bool(problem), problem=problem)

    def routes(self, access: Access) -> list[Route]:
        """`/api/alarms...`, for the page's server."""

        async def entries(chosen: Selection) -> list[Entry]:
            return await asyncio.to_thread(self._book.entries, chosen)

        return alarm_http.routes(self.desk, entries, access)

    async def end(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """End the jobs, then bring the rest to disk; said when that fails. What is not sent is sent after the start."""
        ending = list(tasks)
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        try:
            await self.desk.finish()
        except SinkUnavailable as error:
            self._say("the last transitions of alarms are not written", level="error", problem=str(error))

    def samples(self) -> Iterator[Sample]:
        """For the metrics of the process."""
        for state, count in self.desk.counts().items():
            yield Sample("smelter_alarms_active", count, (state,))
        yield Sample("smelter_alarms_annunciated_total", self.desk.annunciated)
        yield Sample("smelter_alarm_transitions_lost_total", self.desk.lost)
        for sender in self._senders:
            yield Sample("smelter_alarm_notices_sent_total", sender.sent, (sender.name,))
            yield Sample("smelter_alarm_sends_failed_total", sender.failed, (sender.name,))
            yield Sample("smelter_alarm_channel_up", not sender.problem, (sender.name,))


def _tls(ca_file: str) -> ssl.SSLContext | None:
    return client_context(ca_file, section="channel") if ca_file else None
