"""Control: the pot voltage with the line current's ups and downs taken out of it."""

from __future__ import annotations

from twin.physics.elementary import T, only_positive, shaped

__all__ = ["BACK_EMF", "normalised_voltage", "pseudo_resistance"]

BACK_EMF = 1.65  # V, the pot's voltage extrapolated to no current


def pseudo_resistance(voltage: T | float, current: T | float, emf: T | float = BACK_EMF) -> T:
    """Resistance that a pot shows above its back-EMF.

    Parameters (each a scalar or an array; arrays broadcast):
        voltage: pot voltage [V]
        current: line current at the same moment [A]
        emf: voltage extrapolated to no current [V]
    Returns: resistance [ohm], the common shape; NaN where there is no current.

    Equation: R = (V - 1.65) / I
    Validity: currents within about a third of nominal; 1.65 V is a convention of the trade, not of one pot.
    Reference: Grjotheim & Welch, Aluminium Smelter Technology, 1988.

    >>> round(pseudo_resistance(4.10, 350e3) * 1e6, 1)
    7.0
    """
    divisor: T = only_positive(current)
    return shaped((voltage - emf) / divisor)


def normalised_voltage(
    voltage: T | float, current: T | float, nominal_current: T | float, emf: T | float = BACK_EMF
) -> T:
    """Voltage that the pot would show at the nominal current.

    Parameters (each a scalar or an array; arrays broadcast):
        voltage: pot voltage [V]
        current: line current at the same moment [A]
        nominal_current: [A]
        emf: voltage extrapolated to no current [V]
    Returns: normalised voltage [V], the common shape; NaN where there is no current.

    Equation: V_n = (V - 1.65) / I * I_n + 1.65
    Validity: as `pseudo_resistance`.
    Reference: as `pseudo_resistance`.

    >>> round(normalised_voltage(4.10, 350e3, 350e3), 3)
    4.1
    """
    resistance: T = pseudo_resistance(voltage, current, emf)
    return shaped(resistance * nominal_current + emf)
