"""What a process engineer would look at, every minute and for all pots: the columns that the models see.

    features = Features(roster, tracker)
    state = features.start()
    features.take(state, readings, si, new)                          # readings of a tick
    minute = features.begin(state, closed_ns, value, said_ns, track)  # None, or the minute that is over

The live service and the training of models run exactly this code inside the engine (`Settings.features`); what the
engine found is in `Report.minutes`. Files, from below: `gather` (a minute's readings), `memory` (recursive means and
moments of work), `pots` and `lines` (quantities of pots and of lines), `table` (which columns are made of them),
`state` (everything that is remembered, to bytes and back), `features` (the step).
"""

from twin.features.features import Features
from twin.features.minute import Minute
from twin.features.state import Remembered, from_bytes, to_bytes
from twin.features.table import FEATURES, LINE_FEATURES, VERSION, Feature

__all__ = [
    "FEATURES",
    "LINE_FEATURES",
    "VERSION",
    "Feature",
    "Features",
    "Minute",
    "Remembered",
    "from_bytes",
    "to_bytes",
]
