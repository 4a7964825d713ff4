"""Truth: how every pot really is. Recorded beside what the sensors say, never in the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.frames import Floats

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["truth"]


def truth(line: Potline) -> dict[str, Floats]:
    """Fresh arrays (pots,), SI, composition in wt%; the name carries the unit."""
    state, bath, anodes = line.state, line.bath, line.anodes
    current = line.rectifier.current
    each = current / line.anode_count
    return {
        "alumina_wt_pct": bath.alumina.copy(),
        "undissolved_kg": state.undissolved.copy(),
        "sludge_kg": state.sludge.copy(),
        "excess_alf3_wt_pct": 100.0 * state.alf3 / bath.mass,
        "bath_kg": bath.mass.copy(),
        "metal_kg": state.metal.copy(),
        "temperature_k": state.temperature.copy(),
        "liquidus_k": bath.liquidus.copy(),
        "superheat_k": state.temperature - bath.liquidus,
        "ledge_m": line.thermal.thickness(state),
        "wall_k": state.wall.copy(),
        "distance_m": state.distance.copy(),
        "pot_voltage_v": line.electric.total.copy(),
        "power_w": line.power.copy(),
        "efficiency": line.alumina.efficiency.copy(),
        "metal_made_kg": line.alumina.made.copy(),
        "feed_gain": line.gain.copy(),
        "metal_wave_v": line.noise.sigma_wave.copy(),
        "bubble_noise_v": line.noise.sigma_bubbles.copy(),
        "cathode_drop_v": line.electric.r_cathode * current,
        "anode_current_max_a": anodes.largest * each,
        "anode_current_min_a": anodes.smallest * each,
        "anode_effect": state.effect.astype(float),
        "anode_effects": line.effect.count.astype(float),
    }
