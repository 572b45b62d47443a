"""Controls: what must stay true of the records, watched as they come; a breach alarms, and can throw a kill switch."""

from fairlead.controls.compile import Controls, compile_controls
from fairlead.controls.settings import AlarmSettings, ControlSettings

__all__ = ["AlarmSettings", "ControlSettings", "Controls", "compile_controls"]
