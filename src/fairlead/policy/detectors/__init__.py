"""What is looked for in texts: the detectors, one subject a module, with the checks that confirm what they match."""

from fairlead.policy.detectors.catalogue import CLASSES, ENTRIES
from fairlead.policy.detectors.detector import Detector, built_in
from fairlead.policy.detectors.own import CHECKS, own

__all__ = ["CHECKS", "CLASSES", "ENTRIES", "Detector", "built_in", "own"]
