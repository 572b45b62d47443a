"""What is looked for in texts: the detectors, one subject a module, with the checks that confirm what they match."""

from fairlead.policy.detectors.catalogue import CLASSES, TABLE
from fairlead.policy.detectors.detector import Detector, built_in, own

__all__ = ["CLASSES", "TABLE", "Detector", "built_in", "own"]
