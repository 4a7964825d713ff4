"""One message through every hop, word for word: what a newcomer reads first."""

from __future__ import annotations

from tests.core.plants import NOW_NS, codec_of, engine_of, roster_of
from twin.ports import Message
from twin.trace import trace

SHORT = "metal_t, tapped_t, coverage_pct"
LONGER = SHORT + ", ac_energy_kwh, stopped_kwh, deducted_kwh, anode_co2_t"
TOPIC = "smelter/s/L/001/telemetry"


def hops(payload: bytes, topic: str = TOPIC) -> list[str]:
    roster = roster_of(3)
    found = trace(Message(topic, payload), codec_of(roster), engine_of(roster), NOW_NS)
    return [f"{hop}: {text}" for hop, text in found]


def test_the_hops_of_one_sample() -> None:
    assert hops(b'{"time": "2025-11-24T06:00:00.25Z", "voltage_v": 4.012, "bath_temperature_c": 957.3}') == [
        "adapters/mqtt: smelter/s/L/001/telemetry  84 bytes",
        "codec: 2025-11-24T06:00:00.25Z  s/L/001  voltage_v = 4.012 V",
        "codec: 2025-11-24T06:00:00.25Z  s/L/001  bath_temperature_c = 957.3 C",
        "engine: 2 readings wait for their tick to close (2 ticks later)",
        "engine: frame column voltage_v: 4.012 in SI",
        "engine: frame column bath_temperature_c: 1230.45 in SI",
        "engine: books of s/L, hour from 2025-11-24T06:00:00Z: " + SHORT,
        "engine: books of s, hour from 2025-11-24T06:00:00Z: " + SHORT,
        "engine: books of s/L, shift from 2025-11-24T00:00:00Z: " + SHORT,
        "engine: books of s, shift from 2025-11-24T00:00:00Z: " + SHORT,
        "engine: books of s/L, day from 2025-11-24T00:00:00Z: " + LONGER,
        "engine: books of s, day from 2025-11-24T00:00:00Z: " + LONGER,
        "engine: books of s/L, month from 2025-11-01T00:00:00Z: " + LONGER,
        "engine: books of s, month from 2025-11-01T00:00:00Z: " + LONGER,
        "engine: books of s/L, year from 2025-01-01T00:00:00Z: " + LONGER,
        "engine: books of s, year from 2025-01-01T00:00:00Z: " + LONGER,
        "adapters/influx: pot,site=s,line=L,pot=001 voltage_v=4.012,bath_temperature_c=957.3 1763964000250000000",
        "dashboards: measurement pot, fields voltage_v, bath_temperature_c",
    ]


def test_what_is_wrong_is_said_and_the_rest_goes_on() -> None:
    found = hops(b'{"time": 1763964000000, "voltage_v": 4, "feed_mode": 77, "noise_mv": null, "x": 1}')
    assert "codec: parked: out_of_range feed_mode 77 1 is outside 0 ... 9" in found
    assert "codec: unknown field 'x' (1): counted, ignored" in found
    assert "codec: 2025-11-24T06:00:00Z  s/L/001  noise_mv = nan mV" in found
    assert found[-2:] == [
        "adapters/influx: pot,site=s,line=L,pot=001 voltage_v=4.0 1763964000000000000",
        "dashboards: measurement pot, fields voltage_v",
    ], "only what has a value arrives there"


def test_a_message_of_no_use_ends_at_the_codec() -> None:
    assert hops(b"{}", "smelter/s/L/001/status") == [
        "adapters/mqtt: smelter/s/L/001/status  2 bytes",
        "codec: parked: bad_topic smelter/s/L/001/status",
    ]


def test_a_section_message_shows_every_pot() -> None:
    load = b'{"time": 1763964000000, "pot": ["001", "002"], "voltage_v": [4.0, 4.1]}'
    found = hops(load, "smelter/s/L/section/1/telemetry")
    assert [line for line in found if line.startswith("adapters/influx")] == [
        "adapters/influx: pot,site=s,line=L,pot=001 voltage_v=4.0 1763964000000000000",
        "adapters/influx: pot,site=s,line=L,pot=002 voltage_v=4.1 1763964000000000000",
    ]
