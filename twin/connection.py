"""One connection to one broker over gmqtt: what the way in needs of it, by MQTT 5 or MQTT 3.1.1.

Of MQTT 5 the way in uses: session expiry, receive maximum, the broker's reason for closing, and what the broker says
that it grants. MQTT 3.1.1 has none of these: the session lasts as long as the broker is set to keep it, memory is
bounded by pausing the socket alone, and a second process under the same client id shows as connections that do not
last.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
import uuid
from collections.abc import Callable, Container, Sequence
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv50, MQTTv311

from twin.broker import Broker
from twin.errors import ConfigError
from twin.link import passed

__all__ = ["REFUSALS", "TAKEN_OVER", "VERSIONS", "Connection", "Presence"]

VERSIONS = {"5": MQTTv50, "3.1.1": MQTTv311}
TAKEN_OVER = 0x8E  # MQTT 5 reason code: another client has connected under this client id
REFUSALS = (OSError, gmqtt.MQTTConnectError, ConfigError)  # what `enter` raises
_PATIENCE_S = 10.0
_LAST_WORDS_S = 0.01  # a refusal in words comes with the end of the connection
_GOODBYE_S = 1.0
_KEEPALIVE_S = 30
_NEVER_RECONNECT = {"reconnect_retries": -2}  # gmqtt's own loop has a fixed delay and no ceiling: the source's runs
_QUIET = logging.getLogger("twin.gmqtt")  # gmqtt logs every packet; outages are ours to tell, once
_QUIET.setLevel(logging.CRITICAL)
logging.getLogger("gmqtt").setLevel(logging.CRITICAL)


class Presence:
    """Who holds the session of a client id: a retained message on `topic`, because not every broker says so.

    A process that has read its own word there and then reads another's knows that its name is used twice.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.word = f"{socket.gethostname()}, process {os.getpid()}, {uuid.uuid4().hex[:8]}"
        self.said = False  # the broker has our word
        self.other = ""  # whose word is there instead of ours

    def hear(self, payload: bytes) -> None:
        """Take what stands there. Before our own word came back, it is our predecessor's."""
        word = payload.decode("utf-8", "replace")[:200]
        if word == self.word:
            self.said = True
        elif self.said:
            self.other = word


class Connection(gmqtt.Client):
    """gmqtt with QoS 1 publishes handed over unacknowledged, with their packet id, and a socket that can be paused.

    gmqtt acknowledges a message when its handler returns, at the price of a task a message: half of what ingest costs.
    The private names used here are guarded by tests/live/test_mqtt.py and by the pin of gmqtt in pyproject.toml.
    `lost` is set when the connection is over; `reason` is then the MQTT 5 code the broker gave, 0 where it gave none.
    """

    def __init__(
        self,
        client_id: str,
        admit: Callable[[int, str, bytes, Connection], None],
        *,
        version: str = "5",
        presence: Presence | None = None,
        **properties: int,
    ) -> None:
        # By MQTT 3.1.1 a session is kept for good or not at all.
        clean = version == "3.1.1" and not properties.get("session_expiry_interval")
        super().__init__(client_id, clean_session=clean, optimistic_acknowledgement=False, logger=_QUIET, **properties)
        self.set_config(_NEVER_RECONNECT)
        self.lost = asyncio.Event()
        self.reason = 0
        self.session_present = False
        self._version = VERSIONS[version]
        self._presence = presence
        self._asked = properties
        self._granted: dict[str, Any] = {}
        self.on_connect = self._connected
        self.on_disconnect = self._disconnected

        its_topic = None if presence is None else presence.topic

        def take(mid: int, payload: bytes, topic: str, _properties: object) -> None:
            admit(mid, topic, payload, self)

        def take_qos_0(_client: object, topic: str, payload: bytes, _qos: int, _properties: object) -> None:
            if topic == its_topic:
                self._hear(payload)
            else:
                admit(0, topic, payload, self)

        self.on_message = take_qos_0
        self._package_handler._handle_qos_1_publish_packet = take

    def _connected(self, _client: object, session_present: int, _code: int, properties: dict[str, Any]) -> None:
        self.session_present = bool(session_present & 1)
        self._granted = properties

    def _disconnected(self, _client: object, packet: object, _error: object = None) -> None:
        if isinstance(packet, bytes) and packet and not self.reason:
            self.reason = packet[0]
        self.lost.set()

    def _hear(self, payload: bytes) -> None:
        if payload and self._presence is not None:
            self._presence.hear(payload)
            if self._presence.other:
                self.reason = TAKEN_OVER
                self.abandon()

    async def enter(self, at: Broker) -> None:
        """Return when the broker has taken us in. One that hangs up first is told at once. Raises one of REFUSALS."""
        if at.user:
            self.set_auth_credentials(at.user, at.password)
        tls = at.context() or False
        work = self.connect(at.host, at.port, ssl=tls, keepalive=_KEEPALIVE_S, version=self._version)
        entering, gone = asyncio.ensure_future(work), asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait({entering, gone}, timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            if gone.done() and not entering.done():
                await asyncio.wait({entering}, timeout=_LAST_WORDS_S)
            if not entering.done():
                raise ConnectionError(self._farewell())
            entering.result()
        except BaseException:
            self.abandon()
            raise
        finally:
            for task in (entering, gone):
                task.cancel()
            await asyncio.wait({entering, gone})

    def _farewell(self) -> str:
        """Why the connection ended before it was one, in the transport's words."""
        if self._connection_state.protocol_version != self._version:
            return 'it does not speak MQTT 5; set mqtt.version = "3.1.1"'
        closed = getattr(getattr(self._connection, "_protocol", None), "closed", None)
        error = closed.exception() if closed is not None and closed.done() and not closed.cancelled() else None
        return str(error or "no answer")

    def subscribe_to(
        self, filters: Sequence[str], qos: int, told: Callable[[bool], None], *, fresh: Container[str] = ()
    ) -> None:
        """Subscribe; `told` says whether the broker grants every filter. What it says of our presence is no matter.

        `fresh`: filters of which nothing retained is wanted (F16).
        """
        wanted = self.subscribe([gmqtt.Subscription(t, qos, False, False, 2 * (t in fresh)) for t in filters])

        def subscribed(_client: object, mid: int, granted: Sequence[int], _properties: object) -> None:
            if mid == wanted:
                told(all(code < 128 for code in granted))
                if self._presence is not None:
                    # QoS 0: to acknowledge it before what came earlier would be out of order; rumqttd then hangs up.
                    self.subscribe([gmqtt.Subscription(self._presence.topic, qos=0)])
            elif self._presence is not None and not self._presence.said:
                self.publish(self._presence.topic, self._presence.word, qos=1, retain=True)

        self.on_subscribe = subscribed

    def concerns(self, qos: int, *, shared: bool) -> list[str]:
        """What the broker does not grant of what was asked for, one sentence each (MQTT 5 only)."""
        said = {name: value[0] if isinstance(value, list) else value for name, value in self._granted.items()}
        found = []
        asked = self._asked.get("session_expiry_interval", 0)
        if self._version == MQTTv50 and self.session_expiry_interval < asked:
            found.append(
                f"the broker keeps a session for {self.session_expiry_interval} s, not the {asked} s of"
                " mqtt.session_expiry_s: an ingestor that is away for longer loses messages"
            )
        if qos and said.get("max_qos", 1) == 0:
            found.append("the broker grants QoS 0 only: messages can be lost on the way")
        if shared and said.get("shared_subscription_available", 1) == 0:
            found.append("the broker has no shared subscriptions: leave mqtt.share empty and use ingest.lines")
        return found

    @property
    def transport(self) -> asyncio.Transport | None:
        """The open socket, None when there is none."""
        transport: asyncio.Transport | None = getattr(self._connection, "_transport", None)
        return None if transport is None or transport.is_closing() else transport

    def abandon(self) -> None:
        """Close a connection at once; one that never came to be would stay open until the heartbeat misses it."""
        if transport := self.transport:
            transport.abort()

    async def leave(self) -> None:
        """Say goodbye, read on until the broker closes: closed with bytes unread, a socket loses the last PUBACKs."""
        if self.transport:
            self._connection.send_disconnect(reason_code=0)
            await passed(self.lost, _GOODBYE_S)
        await self.disconnect()

    def acknowledge(self, mids: list[int]) -> None:
        """PUBACK for each packet id, in one write; of a closed connection nothing: the broker sends them again."""
        if mids and (transport := self.transport):
            transport.write(struct.pack("!" + "BBH" * len(mids), *(part for mid in mids for part in (0x40, 2, mid))))
