"""Elementary functions that keep a scalar a scalar and an array an array.

The equations of this package are called with one pot (plain floats) and with a whole potline (arrays); these few
functions are the only place where the two differ. NaN passes through all of them.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["T", "at_least", "at_most", "exp", "log", "only_positive", "power", "shaped", "sqrt"]

T = TypeVar("T", float, NDArray[np.float64])
SCALAR = (float, int)


def exp(x: T | float) -> T:
    """Exponential of x [1], any shape.

    >>> exp(0.0)
    1.0
    """
    function: Any = math.exp if isinstance(x, SCALAR) else np.exp
    result: T = function(x)
    return result


def log(x: T | float) -> T:
    """Natural logarithm of x > 0 [1], any shape.

    >>> log(1.0)
    0.0
    """
    function: Any = math.log if isinstance(x, SCALAR) else np.log
    result: T = function(x)
    return result


def sqrt(x: T | float) -> T:
    """Square root of x >= 0, any shape.

    >>> sqrt(9.0)
    3.0
    """
    function: Any = math.sqrt if isinstance(x, SCALAR) else np.sqrt
    result: T = function(x)
    return result


def power(x: T | float, exponent: T | float) -> T:
    """x ** exponent for x > 0, any shape; exp and log are vectorised where `**` with a broken exponent is not.

    >>> round(power(4.0, 1.5), 12)
    8.0
    """
    logarithm: T = log(x)
    result: T = exp(exponent * logarithm)
    return result


def at_least(x: T | float, bound: float) -> T:
    """x, but not below bound; any shape.

    >>> at_least(0.1, 0.2), at_least(0.3, 0.2)
    (0.2, 0.3)
    """
    function: Any = max if isinstance(x, SCALAR) else np.maximum
    result: T = function(x, bound)  # x first: then max and min hand on a NaN
    return result


def at_most(x: T | float, bound: float) -> T:
    """x, but not above bound; any shape.

    >>> at_most(0.1, 0.2), at_most(0.3, 0.2)
    (0.1, 0.2)
    """
    function: Any = min if isinstance(x, SCALAR) else np.minimum
    result: T = function(x, bound)  # x first: then max and min hand on a NaN
    return result


def only_positive(x: T | float) -> T:
    """x where it is positive, NaN elsewhere: a divisor that cannot be zero; any shape.

    >>> only_positive(2.0), only_positive(0.0)
    (2.0, nan)
    """
    if isinstance(x, SCALAR):
        return shaped(x if x > 0.0 else math.nan)
    result: T = np.where(x > 0.0, x, np.nan)
    return result


def shaped(x: T | float) -> T:
    """x itself, typed like the array among the arguments it came from.

    An equation in several arguments gives an array as soon as one of them is one; mypy only sees "array or float".

    >>> shaped(2.0)
    2.0
    """
    value: Any = x
    result: T = value
    return result
