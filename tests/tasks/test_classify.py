"""From a request to its task: named, recognised, or the default one."""

from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.models.types import ChatRequest, Message, TextPart
from fairlead.tasks import TaskSettings, TaskTypes, compile_tasks
from fairlead.tasks.question import last_question

BILLING = TaskSettings(examples=("I want a refund", "Why was I charged?", "Send me the invoice", "A refund please"))


def request(*messages: Message, model: str = "auto") -> ChatRequest:
    return ChatRequest(model=model, messages=list(messages), size=10)


def asks(question: str, model: str = "auto") -> ChatRequest:
    return request(Message("user", question), model=model)


def types() -> TaskTypes:
    return compile_tasks({"billing": BILLING, "quiet": TaskSettings(description="No examples.")})


def test_a_request_that_names_a_type_is_of_that_type() -> None:
    task = types().classify(asks("anything at all", model="quiet"), NO_LABELS)
    assert (task.type.name, task.confidence, task.abstained) == ("quiet", 1.0, False)


def test_a_question_like_the_examples_is_recognised_whatever_model_is_asked_for() -> None:
    for model in ("auto", "some/model"):
        task = types().classify(asks("may I have a refund?", model=model), NO_LABELS)
        assert task.type.name == "billing"
        assert 0 < task.confidence <= 1


def test_a_question_like_none_is_the_default_types_and_says_so() -> None:
    task = types().classify(asks("write a haiku on rain"), NO_LABELS)
    assert (task.type.name, task.abstained) == ("chat", True)


def test_the_default_type_can_be_declared() -> None:
    declared = compile_tasks({"billing": BILLING, "desk": TaskSettings(context=500)}, default="desk")
    assert declared.classify(asks("write a haiku on rain"), NO_LABELS).type.context == 500
    assert set(declared.names) == {"billing", "desk"}


def test_without_types_everything_is_chat_and_nothing_was_abstained_from() -> None:
    bare = compile_tasks({}, context=300)
    task = bare.classify(asks("hello"), NO_LABELS)
    assert (task.type.name, task.type.context, task.abstained) == ("chat", 300, False)
    assert list(bare.names) == ["chat"]
    assert not bare.types


def test_a_declared_chat_replaces_the_built_in_one() -> None:
    own = compile_tasks({"chat": TaskSettings(instructions="Be brief.")}, context=300)
    assert own.default.instructions == "Be brief."
    assert own.classify(asks("hello", model="chat"), NO_LABELS).confidence == 1.0


def test_labels_and_the_whole_question_travel_with_the_task() -> None:
    labels = Labels(DataClass.confidential, frozenset({"email"}))
    long = "may I have a refund? " * 200
    task = types().classify(asks(long), labels)
    assert task.labels is labels
    assert task.question == long


def test_the_question_is_what_the_user_said_last() -> None:
    conversation = request(
        Message("system", "You help."),
        Message("user", "First."),
        Message("assistant", "Yes?"),
        Message("user", [TextPart("Sec"), TextPart("ond.")]),
        Message("assistant", None),
        Message("tool", "result"),
    )
    assert last_question(conversation) == "Second."
    assert last_question(request(Message("system", "You help."))) == ""
    assert types().classify(request(Message("system", "refund")), NO_LABELS).type.name == "chat"
