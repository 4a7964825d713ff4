"""What the benchmark sends: 20 plausible signals a pot and second, distinct (pot, time), encoded beforehand."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twin import plant
from twin.encode import encode
from twin.frames import Readings
from twin.plant import Roster
from twin.ports import Message
from twin.signals import SIGNALS, of_topic

__all__ = ["ROOT_TOPIC", "SECTION_POTS", "chunks", "messages", "plant_toml", "readings", "roster", "write_chunks"]

ROOT_TOPIC = "smelter"
SECTION_POTS = 20
CHUNK_PACKETS = 200
NS = 1_000_000_000
# Mean and standard deviation of a normal pot; the two counters have a start and a rate [kg/s] instead.
PLAUSIBLE = {
    "voltage_v": (3.95, 0.02),
    "voltage_set_v": (3.95, 0.005),
    "resistance_uohm": (4.6, 0.05),
    "resistance_slope_nohm_min": (0.0, 30.0),
    "noise_mv": (15.0, 2.0),
    "metal_wave_mv": (12.0, 2.0),
    "bath_temperature_c": (953.0, 4.0),
    "side_wall_temperature_c": (290.0, 15.0),
    "cathode_temperature_c": (900.0, 10.0),
    "duct_temperature_c": (120.0, 8.0),
    "duct_flow_m3_s": (2.2, 0.05),
    "alumina_feed_kg": (120_000.0, 0.09),
    "alf3_feed_kg": (1_500.0, 0.001),
    "feed_interval_s": (80.0, 6.0),
    "feed_mode": (0.0, 0.0),
    "beam_position_mm": (250.0, 30.0),
    "anode_current_max_ka": (12.4, 0.3),
    "anode_current_min_ka": (8.6, 0.3),
    "anode_current_spread_pct": (8.0, 0.8),
    "cathode_drop_mv": (290.0, 10.0),
}
COUNTERS = ("alumina_feed_kg", "alf3_feed_kg")


def plant_toml(pots: int, lines: int = 1) -> str:
    """Return a plant file of equal lines in sections of 20 pots."""
    each = "".join(
        f'\n[[sites.lines]]\nid = "L{n}"\npots = {pots // lines}\nsection_pots = {SECTION_POTS}\ndesign = "p500"\n'
        for n in range(1, lines + 1)
    )
    return f'[[sites]]\nid = "bench"\n{each}\n[designs.p500]\nrated_current_ka = 500\n'


def roster(pots: int, lines: int = 1) -> Roster:
    """Return the roster of that plant."""
    return Roster(plant.parse(plant_toml(pots, lines), "bench"))


def readings(units: Roster, start_ns: int, first: int, seconds: int, seed: int) -> Readings:
    """Return what every pot says in `seconds` seconds from `start_ns + first` s: 20 signals, three decimals."""
    codes = of_topic("telemetry")
    pots = np.array(units.pot_codes(), np.int32)
    chance = np.random.default_rng([seed, first])
    tick = np.repeat(np.arange(first, first + seconds), len(pots))
    table = np.empty((len(tick), len(codes)))
    for column, code in enumerate(codes):
        mean, spread = PLAUSIBLE[SIGNALS[code].name]
        if SIGNALS[code].name in COUNTERS:
            table[:, column] = mean + spread * tick + np.tile(pots, seconds)
        elif SIGNALS[code].name == "feed_mode":
            table[:, column] = chance.integers(0, 3, len(tick))
        else:
            table[:, column] = chance.normal(mean, spread, len(tick))
    width = len(codes)
    return Readings.of(
        np.repeat(start_ns + tick * NS, width),
        np.repeat(np.tile(pots, seconds), width),
        np.tile(np.array(codes, np.int16), len(tick)),
        np.round(table, 3).ravel(),
    )


def messages(units: Roster, start_ns: int, seconds: int, seed: int, *, batched: bool) -> list[Message]:
    """Return the messages of all pots in order of time: one a pot and second, or one a section and second."""
    made: list[Message] = []
    for first in range(0, seconds, 20):
        part = readings(units, start_ns, first, min(20, seconds - first), seed)
        made += encode(part, units, ROOT_TOPIC, batched=batched)
    return made


def _packet(message: Message, qos: int, packet_id: int) -> bytes:
    """Return one MQTT 3.1.1 PUBLISH packet."""
    topic = message.topic.encode()
    body = len(topic).to_bytes(2, "big") + topic
    body += (packet_id.to_bytes(2, "big") if qos else b"") + message.payload
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (128 if left else 0))
        if not left:
            return bytes((0x30 | qos << 1,)) + bytes(length) + body


def chunks(said: Sequence[Message], qos: int) -> list[bytes]:
    """Return the packets of one connection, CHUNK_PACKETS to a chunk; packet ids go round."""
    packets = [_packet(message, qos, index % 65_535 + 1) for index, message in enumerate(said)]
    return [b"".join(packets[at : at + CHUNK_PACKETS]) for at in range(0, len(packets), CHUNK_PACKETS)]


def write_chunks(said: Sequence[Message], qos: int, connections: int, folder: Path) -> list[Path]:
    """Write a file a connection. A unit's messages all go the same way, so that they stay in order."""
    ways: list[list[Message]] = [[] for _ in range(connections)]
    way_of: dict[str, int] = {}
    for message in said:
        ways[way_of.setdefault(message.topic, len(way_of) % connections)].append(message)
    files = []
    for number, way in enumerate(ways):
        files.append(folder / f"way{number}")
        files[-1].write_bytes(pickle.dumps((len(way), chunks(way, qos))))
    return files
