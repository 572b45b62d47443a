"""Task types: the declared kinds of work, and the recognition of a request as one of them."""

from fairlead.tasks.classify import TaskTypes
from fairlead.tasks.settings import TaskSettings, compile_tasks

__all__ = ["TaskSettings", "TaskTypes", "compile_tasks"]
