"""What models are expected to do, learnt from known outcomes. Pure: outcomes and prompts in, numbers out.

This face is what serving needs; `training` is for whoever trains, and no worker loads it. Nothing here knows a vendor:
models are names, and exchanging two names exchanges what is said of them and nothing else.
"""

from fairlead.routing.learned.features import features
from fairlead.routing.learned.predictor import Predictor, read_predictor
from fairlead.routing.learned.types import NO_FEATURES, Features, Observation, Prediction, TokenPrice

__all__ = [
    "NO_FEATURES",
    "Features",
    "Observation",
    "Prediction",
    "Predictor",
    "TokenPrice",
    "features",
    "read_predictor",
]
