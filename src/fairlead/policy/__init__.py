"""What may be done: detectors label, Cedar decides, redaction and screening carry it out."""

from fairlead.policy.case import PolicyCase
from fairlead.policy.cases import CaseResult, run_policy_tests
from fairlead.policy.cedar_request import Asked
from fairlead.policy.compile import compile_policy
from fairlead.policy.policy import Policy
from fairlead.policy.screen import Screen
from fairlead.policy.settings import Rule, RulesFile
from fairlead.policy.sources import models_compared
from fairlead.policy.substitutes import Redaction

__all__ = [
    "Asked",
    "CaseResult",
    "Policy",
    "PolicyCase",
    "Redaction",
    "Rule",
    "RulesFile",
    "Screen",
    "compile_policy",
    "models_compared",
    "run_policy_tests",
]
