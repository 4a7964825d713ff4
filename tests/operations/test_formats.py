"""Metrics of Sparkplug and of the mapping file."""

from __future__ import annotations

from tests.core.plants import NOW_NS
from tests.mapping.maps import PLAIN, codec_with
from tests.operations.test_metrics import operations, scraped
from tests.sparkplug.wire import NOW_MS
from tests.sparkplug.wire import message as wire
from twin.adapters.sparkplug import SparkplugSource
from twin.broker import Broker
from twin.ports import Message
from twin.sparkplug.session import Host


def lives(host: Host) -> None:
    """A node and its device are born, a message is missing, another was never born, an old will comes, one dies."""
    host.take(wire("NBIRTH", 0, {"up": 1.0}, birth_seq=7), NOW_MS)
    host.take(wire("DBIRTH", 1, {"U": 4.0}, device="d"), NOW_MS)
    host.take(wire("DDATA", 3, {"U": 4.1}, device="d"), NOW_MS)
    host.tick(NOW_MS + 2000)
    host.take(wire("DDATA", 0, {"U": 4.1}, device="d", node="M"), NOW_MS)
    host.take(wire("NDEATH", None, {}, birth_seq=6), NOW_MS)
    host.take(wire("DDEATH", 4, {}, device="d"), NOW_MS)


def test_what_a_sparkplug_host_counts_is_exported() -> None:
    ops, source = operations(), SparkplugSource(Broker("h", 1), "twin", "+", root="smelter")
    ops.watch_sparkplug(source)
    lives(source.host)
    found = {key[0].removeprefix("smelter_sparkplug_"): value for key, value in scraped(ops).items()}
    told = {name: found[f"{name}_total"] for name in ("sequence_gaps", "rebirths_asked", "old_deaths", "deaths")}
    assert told == {"sequence_gaps": 1, "rebirths_asked": 2, "old_deaths": 1, "deaths": 1}
    assert (found["nodes_up"], found["connected"]) == (1, 0)
    assert [reason.part for reason in ops.readiness.reasons()] == ["sparkplug"]


def test_what_the_mapping_file_decodes_is_counted_by_format() -> None:
    ops, codec = operations(), codec_with(PLAIN)
    assert codec.beside is not None
    ops.watch_mapping(codec.beside)
    assert scraped(ops)["smelter_mapping_decoded_messages_total", "json"] == 0, "there before it counts"
    loads = [b'{"ts": %d, "u": 4}' % (NOW_MS - 1), b"x", b"[" * 9, b'{"ts": 1}']
    codec.decode([Message("plant/pot1", load) for load in loads], NOW_NS)
    found = scraped(ops)
    assert found["smelter_mapping_decoded_messages_total", "json"] == 4
    assert found["smelter_mapping_parked_messages_total", "json"] == 3
