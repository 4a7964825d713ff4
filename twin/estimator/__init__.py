"""The twin's reduced pot model with state estimation over all pots at once (docs/method/estimation.md).

states, design      what is estimated; priors from the plant file
drive               readings of a step -> what drives the model
model, voltage      the reduced model and its Jacobian; voltage over the belief
gaussian, advance   covariances of many pots; one step of the filter
measurements        thermocouple, side wall, samples
belief, window      what is believed; what a late sample can still change
pooling             what the pots of a line have in common: efficiency, pad
outputs             frames.Estimate, what is known
marks               what the books want of every quarter hour
estimator           the interface; checkpoint: state <-> bytes
"""

from twin.estimator.checkpoint import from_bytes, to_bytes
from twin.estimator.drive import Inputs
from twin.estimator.estimator import Estimator, Samples, Settings, State
from twin.estimator.measurements import SAMPLES
from twin.estimator.outputs import OUTPUTS

__all__ = [
    "OUTPUTS",
    "SAMPLES",
    "Estimator",
    "Inputs",
    "Samples",
    "Settings",
    "State",
    "from_bytes",
    "to_bytes",
]
