"""Keys of a terminal while something runs; the terminal is as it was before when it ends, however it ends."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["keys_of", "listening"]

_NAMES = {
    b" ": "space",
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1b[1;2C": "shift-right",
    b"\x1b[1;2D": "shift-left",
    b"+": "faster",
    b"=": "faster",
    b"-": "slower",
    b"q": "quit",
}
# A whole escape sequence, or one byte: what is not a key of ours is taken and forgotten.
_KEY = re.compile(rb"\x1b[\[O][0-9;]*[A-Za-z~]|[\x00-\xff]", re.S)


def keys_of(data: bytes) -> Iterator[str]:
    """Names of the keys in what a terminal sent.

    >>> list(keys_of(b" x\\x1b[C\\x1b[1;2D"))
    ['space', 'right', 'shift-left']
    """
    for found in _KEY.finditer(data):
        name = _NAMES.get(found[0].replace(b"\x1bO", b"\x1b["))
        if name:
            yield name


@contextmanager
def listening(pressed: Callable[[str], None]) -> Iterator[bool]:
    """Calls `pressed` with the name of each key, inside a running event loop; False where there is no terminal."""
    try:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (ImportError, OSError, ValueError, AttributeError):  # Windows, no terminal, or no standard input at all
        yield False
        return
    except termios.error:
        yield False
        return
    loop = asyncio.get_running_loop()

    def read() -> None:
        for name in keys_of(os.read(descriptor, 1024)):
            pressed(name)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
