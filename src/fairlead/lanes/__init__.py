"""Lanes: who may start now, who waits for a place, and in which order those are taken. Nothing of it is stored."""

from fairlead.lanes.rules import LaneRules, compile_lanes
from fairlead.lanes.settings import LanesSettings
from fairlead.lanes.turns import Lanes

__all__ = ["LaneRules", "Lanes", "LanesSettings", "compile_lanes"]
