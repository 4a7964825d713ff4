"""What a host hands on needs no session: kept, parked or sent again, it says the same to whoever reads it later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from tests.core.plants import NOW_NS
from tests.mapping.maps import codec_with, readings, reasons
from tests.sparkplug.test_payload import MAP
from tests.sparkplug.wire import NOW_MS, message
from twin.ports import Message
from twin.sparkplug.session import Host, told

ALIASES, TURNED = {"Voltage": 1, "Beam": 2}, {"Voltage": 2, "Beam": 1}
# An alias, one that nobody told, a message out of order, a second birth with other aliases, a death.
WIRE = (
    message("NBIRTH", 0, {}, birth_seq=1),
    message("DBIRTH", 1, {"Voltage": 4000.0, "Beam": 1.0}, device="pot1", aliases=ALIASES),
    message("DDATA", 2, {1: 4001.0, 2: 2.0}, device="pot1", time_ms=NOW_MS + 1),
    message("DDATA", 4, {1: 4003.0}, device="pot1", time_ms=NOW_MS + 3),
    message("DDATA", 3, {1: 4002.0, 9: 5.0}, device="pot1", time_ms=NOW_MS + 2),
    message("DBIRTH", 5, {"Beam": 3.0, "Voltage": 4004.0}, device="pot1", aliases=TURNED, time_ms=NOW_MS + 4),
    message("DDATA", 6, {1: 4.0, 2: 4005.0}, device="pot1", time_ms=NOW_MS + 5),
    message("DDEATH", 7, {}, device="pot1", time_ms=NOW_MS + 6),
)  # fmt: skip
LATER = """
import sys, msgspec
from tests.mapping.maps import codec_with, readings, reasons
from tests.sparkplug.test_payload import MAP
from twin.ports import Message
messages = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Message])
codec = codec_with(MAP)
decoded = [codec.decode([message], int(sys.argv[1])) for message in reversed(messages)][::-1]
sys.stdout.buffer.write(msgspec.json.encode([[readings(one), reasons(one)] for one in decoded]))
"""


def handed_on() -> list[Message]:
    host = Host()
    found = [one for message in WIRE for one in host.take(message, NOW_MS).messages]
    return [Message(told("smelter", topic), payload) for topic, payload in found]


def test_it_is_read_in_another_process_later_alone_and_in_any_order() -> None:
    messages, codec = handed_on(), codec_with(MAP)
    here = [codec.decode([message], NOW_NS) for message in messages]
    sent = msgspec.msgpack.encode(messages)
    command = [sys.executable, "-c", LATER, str(NOW_NS + 3600 * 10**9)]
    folder = Path(__file__).parents[2]
    other = subprocess.run(command, input=sent, capture_output=True, check=True, timeout=60, cwd=folder)
    told_here = msgspec.json.encode([[readings(one), reasons(one)] for one in here])
    assert other.stdout == told_here
    volts = [row[3] for one in here for row in readings(one) if row[2] == "voltage_v"]
    assert volts == [4.0, 4.001, 4.002, 4.003, 4.004, 4.005, None]
    assert [reason for one in here for reason in reasons(one)] == [("unknown_alias", "")]


def test_it_has_topics_of_our_own_and_none_of_the_namespace() -> None:
    """Published again, it must not take the place of what the node itself says."""
    assert {message.topic for message in handed_on()} >= {"smelter/spBv1.0/G/DDATA/N/pot1"}
    assert not [message.topic for message in handed_on() if not message.topic.startswith("smelter/spBv1.0/G/")]


def test_as_it_came_it_is_no_message_of_ours() -> None:
    decoded = codec_with(MAP).decode(list(WIRE), NOW_NS)
    assert (len(decoded.readings), {reason for reason, _ in reasons(decoded)}) == (0, {"bad_topic"})


def test_what_is_too_large_is_handed_on_unread_and_parked() -> None:
    host = Host(max_payload=50)
    (found,) = host.take(WIRE[1], NOW_MS).messages
    assert found == WIRE[1]
    own = Message(told("smelter", found.topic), found.payload)
    assert reasons(codec_with(MAP, max_payload=50).decode([own], NOW_NS)) == [("oversize", "")]
    assert host.born() == 0


def test_invented_nodes_and_devices_do_not_fill_the_memory() -> None:
    host = Host()
    host._parts = 49_999  # one more is room for
    for number in range(5):
        (found,) = host.take(message("NBIRTH", 0, {"up": 1.0}, node=f"N{number}"), NOW_MS).messages
        assert found.topic == f"spBv1.0/G/NBIRTH/N{number}"
    assert host.born() == 1
