"""What models are expected to do, learnt from known outcomes. Pure: outcomes and prompts in, numbers out.

Nothing here knows a vendor: models are names, and exchanging two names exchanges what is said of them and nothing else.
"""

from fairlead.routing.learned.features import features
from fairlead.routing.learned.predictor import Predictor, read_predictor
from fairlead.routing.learned.training import Training, train
from fairlead.routing.learned.types import NO_FEATURES, Features, Observation, Prediction, TokenPrice

__all__ = [
    "NO_FEATURES",
    "Features",
    "Observation",
    "Prediction",
    "Predictor",
    "TokenPrice",
    "Training",
    "features",
    "read_predictor",
    "train",
]
