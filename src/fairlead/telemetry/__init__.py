"""What Fairlead tells about its own work: traces of runs, load by layer, and its log."""

from fairlead.telemetry.load import load_by_layer
from fairlead.telemetry.trace import STAGES, Span, Trace, decode

__all__ = ["STAGES", "Span", "Trace", "decode", "load_by_layer"]
