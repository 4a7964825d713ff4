"""Every channel: delivers what it is given, tells an outage from a refusal, says the same in its receiver's terms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.alarms.receiver import Mailbox, Receiver, receiving
from tests.alarms.telling import outgoing
from tests.core.plants import NOW_NS
from tests.servers import free_port
from twin.adapters.alarm_memory import KeepingChannel
from twin.adapters.memory import FakeClock, KeepingPublisher
from twin.adapters.notify_alertmanager import AlertmanagerChannel
from twin.adapters.notify_apprise import AppriseChannel
from twin.adapters.notify_email import EmailChannel, Server, mail
from twin.adapters.notify_mqtt import MqttChannel
from twin.adapters.notify_webhook import WebhookChannel, signature
from twin.errors import ConfigError, SinkRejected, SinkUnavailable
from twin.outgoing import Channel

CLOCK = FakeClock(NOW_NS)
HTTP: dict[str, Callable[[str], Channel]] = {
    "webhook": lambda url: WebhookChannel(url, CLOCK, secret="shared secret"),
    "alertmanager": lambda url: AlertmanagerChannel(url, CLOCK),
    "apprise": lambda url: AppriseChannel(url.replace("http://", "json://"), "a"),
}


def run(
    test: Callable[[Receiver], Coroutine[Any, Any, None]], behaviour: Callable[[int], str] = lambda n: "ok"
) -> None:
    async def whole() -> None:
        async with receiving(behaviour) as receiver, asyncio.timeout(60):
            await test(receiver)

    asyncio.run(whole())


@pytest.mark.parametrize("kind", HTTP)
def test_a_receiver_over_http_gets_everything(kind: str) -> None:
    async def test(receiver: Receiver) -> None:
        channel = HTTP[kind](receiver.url)
        for n in range(3):
            await channel.send([outgoing("a", n, unit=f"s/L/00{n}")])
        await channel.close()
        assert [f"s/L/00{n}" in body.decode() for n, (_, body) in enumerate(receiver.requests)] == [True] * 3

    run(test)


@pytest.mark.parametrize("status", ["500", "503", "429", "408"])
@pytest.mark.parametrize("kind", HTTP)
def test_a_receiver_that_cannot_now_is_an_outage(kind: str, status: str) -> None:
    async def test(receiver: Receiver) -> None:
        channel = HTTP[kind](receiver.url)
        with pytest.raises(SinkUnavailable):
            await channel.send([outgoing("a")])
        await channel.send([outgoing("a")])
        await channel.close()

    run(test, lambda n: status if n == 0 else "ok")


@pytest.mark.parametrize("status", ["400", "401", "404", "302"])
@pytest.mark.parametrize("kind", ["webhook", "alertmanager"])
def test_a_receiver_that_will_not_is_a_refusal(kind: str, status: str) -> None:
    async def test(receiver: Receiver) -> None:
        channel = HTTP[kind](receiver.url)
        with pytest.raises(SinkRejected, match=status):
            await channel.send([outgoing("a")])
        await channel.close()
        assert len(receiver.requests) == 1, "a redirect is not followed"

    run(test, lambda n: status)


@pytest.mark.parametrize("kind", HTTP)
def test_nobody_there_is_an_outage(kind: str) -> None:
    async def test() -> None:
        channel = HTTP[kind](f"http://127.0.0.1:{free_port()}/")
        with pytest.raises(SinkUnavailable):
            await channel.send([outgoing("a")])
        await channel.close()

    asyncio.run(test())


def test_a_webhook_is_signed_and_keyed_and_says_all_of_it() -> None:
    async def test(receiver: Receiver) -> None:
        channel = HTTP["webhook"](receiver.url)
        await channel.send([outgoing("a", 7)])
        await channel.send([outgoing("a", 7)])  # 409: it had it before
        await channel.close()
        headers, body = receiver.requests[0]
        assert headers["Idempotency-Key"] == receiver.requests[1][0]["Idempotency-Key"] == "7-raised"
        told = signature("shared secret", headers["X-Smelter-Timestamp"], body)
        assert headers["X-Smelter-Signature"] == told
        assert told != signature("another secret", headers["X-Smelter-Timestamp"], body)
        notice = json.loads(body)["notice"]
        assert (notice["unit"], notice["code"], notice["value"]) == ("s/L/001", "anode_effect", 31.5)
        for part in ("2025-11-24T05:59:00Z", "31.5 > 8", "PFC", "Quench", "within 3 min", "twin.example/?pot=s/L/001"):
            assert part in notice["text"], part

    run(test, lambda n: "409" if n else "ok")


def test_alerts_fire_and_end_and_keep_their_labels() -> None:
    async def test(receiver: Receiver) -> None:
        channel = HTTP["alertmanager"](receiver.url)
        await channel.send([outgoing("a", 0)])
        await channel.refresh([outgoing("a", 0, after="acknowledged").notice])
        await channel.send([outgoing("a", 9, after="normal")])
        await channel.close()
        fired, again, over = (bodies[0] for bodies in receiver.bodies())
        assert fired["labels"] == again["labels"] == over["labels"] == {
            "alertname": "anode_effect", "unit": "s/L/001", "site": "s", "line": "L", "pot": "001",
            "severity": "critical", "class": "emission",
        }  # fmt: skip
        assert fired["startsAt"] == over["startsAt"]
        assert (fired["endsAt"], over["endsAt"]) == ("2025-11-24T06:04:00Z", "2025-11-24T06:00:00Z")

    run(test)


def test_the_broker_gets_the_state_of_each_alarm_under_its_own_topic() -> None:
    publisher = KeepingPublisher()
    channel = MqttChannel(publisher, "twin/alarms")
    asyncio.run(channel.send([outgoing("a", 0), outgoing("a", 9, after="normal")]))
    assert [message.topic for message in publisher.messages] == ["twin/alarms/s/L/001/anode_effect"] * 2
    states = [json.loads(message.payload)["state"] for message in publisher.messages]
    assert states == ["unacknowledged", "normal"]


def test_mail_says_what_where_since_when_how_bad_why_and_what_to_do_in_either_language() -> None:
    with Mailbox() as box:
        channel = EmailChannel(
            Server("127.0.0.1", box.port), "twin@plant.example", ["shift@plant.example", "b@c.example"]
        )
        asyncio.run(channel.send([outgoing("a", 0)]))
        asyncio.run(channel.send([outgoing("a", 1, language="zh")]))
        asyncio.run(channel.send([outgoing("a", 0)]))
    english, chinese, again = box.mails
    assert english["Subject"] == "[high] Anode effect: s/L/001"
    assert chinese["Subject"] == "【高】阳极效应：s/L/001"
    assert english["To"] == "shift@plant.example, b@c.example"
    assert again["Message-ID"] == english["Message-ID"] != chinese["Message-ID"]
    for part in ("Where: s/L/001", "Likely cause: ", "What to do: Quench", "http://twin.example/?pot=s/L/001"):
        assert part in english.get_content()
    for part in ("位置：s/L/001", "可能原因：", "处理措施：熄灭效应"):
        assert part in chinese.get_content()


@pytest.mark.parametrize(
    ("answer", "error"), [("451 try later", SinkUnavailable), ("554 no such message", SinkRejected)]
)
def test_a_mail_server_that_cannot_or_will_not(answer: str, error: type[Exception]) -> None:
    with Mailbox([answer]) as box:
        channel = EmailChannel(Server("127.0.0.1", box.port), "twin@plant.example", ["shift@plant.example"])
        with pytest.raises(error, match=answer[:3]):
            asyncio.run(channel.send([outgoing("a")]))
        asyncio.run(channel.send([outgoing("a")]))
    assert len(box.mails) == 1


def test_no_mail_server_is_an_outage_and_a_line_feed_makes_no_header() -> None:
    channel = EmailChannel(Server("127.0.0.1", free_port()), "twin@plant.example", ["shift@plant.example"])
    with pytest.raises(SinkUnavailable):
        asyncio.run(channel.send([outgoing("a")]))
    assert mail(outgoing("a"), "twin@plant.example", ["x@y.example"])["Auto-Submitted"] == "auto-generated"


def test_apprise_says_what_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match="channel room: Apprise does not know"):
        AppriseChannel("nothing-that-there-is://secret", "room")


def test_the_fake_is_a_channel_too() -> None:
    channel: Channel = KeepingChannel([SinkUnavailable("once")])
    with pytest.raises(SinkUnavailable):
        asyncio.run(channel.send([outgoing("a")]))
    asyncio.run(channel.send([outgoing("a")]))
    assert isinstance(channel, KeepingChannel)
    assert [one.key for one in channel.kept] == ["0-raised"]
