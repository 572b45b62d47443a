"""Task types: the declared kinds of work, and the recognition of a request as one of them."""

from fairlead.tasks.classify import TaskTypes
from fairlead.tasks.settings import TaskSettings, compile_tasks
from fairlead.tasks.types import Task, TaskType

__all__ = ["Task", "TaskSettings", "TaskType", "TaskTypes", "compile_tasks"]
