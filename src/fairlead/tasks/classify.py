"""What is it? From a request to the declared kind of work that it is."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from fairlead.labels import Labels
from fairlead.models.types import ChatRequest
from fairlead.tasks.likeness import Likeness
from fairlead.tasks.meaning import Meaning, Vectors
from fairlead.tasks.question import last_question
from fairlead.tasks.types import Task, TaskType


class TaskTypes:
    """The task types of a revision. `default` is for what is recognised as none; it may be one of `types`.

    Without an `encoder` questions are recognised by their words.
    """

    def __init__(self, types: Iterable[TaskType], default: TaskType, encoder: Vectors | None = None) -> None:
        self.default = default
        self.types: Mapping[str, TaskType] = MappingProxyType({one.name: one for one in types})
        self._by_name = {default.name: default} | dict(self.types)
        examples = {one.name: one.examples for one in self._by_name.values() if one.examples}
        self.by_meaning = bool(examples) and encoder is not None
        self._examples: Likeness | Meaning | None = None
        if examples:
            self._examples = Likeness(examples) if encoder is None else Meaning(examples, encoder)

    @property
    def names(self) -> Collection[str]:
        """What a request may name in place of a model, the default type included."""
        return self._by_name.keys()

    def classify(self, request: ChatRequest, labels: Labels) -> Task:
        """The task of a request: the type that it names, else the type whose examples its question is like.

        It abstains where the question is like none; where no type has examples there is nothing to abstain from.
        By meaning it takes milliseconds, and the first time as long as learning does: keep it out of an event loop.
        """
        question = last_question(request)
        named = self._by_name.get(request.model)
        if named is not None:
            return Task(type=named, labels=labels, question=question, confidence=1.0)
        if self._examples is None:
            return Task(type=self.default, labels=labels, question=question)
        name, confidence = self._examples.closest(question)
        if name is None:
            return Task(type=self.default, labels=labels, question=question, abstained=True, confidence=confidence)
        return Task(type=self._by_name[name], labels=labels, question=question, confidence=confidence)
