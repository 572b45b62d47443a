"""What a caller may ask for by name, as far as that can be said before a request is seen."""

from fairlead.execution.deployment import Deployment
from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS
from fairlead.tasks.types import Task


def visible_models(deployment: Deployment, caller: Caller, door: str) -> list[tuple[str, str]]:
    """Names that may stand in `model`, with what each is: "auto", the task types, and the permitted models.

    A model with deployments is there by its own name, if any of them is permitted, and by theirs; aliases stand behind
    what they mean. Of those for embeddings it is said that they are, because they do not chat.
    """
    models = {**deployment.models, **deployment.embedders.models}
    task = Task(type=deployment.tasks.default, labels=NO_LABELS, question="")
    rights = deployment.policy.authorize(caller, task, NO_LABELS, list(models.values()), door)
    names = [("auto", "fairlead"), *((name, "task type") for name in deployment.tasks.names)]
    permitted: dict[str, str] = {}
    for name, model in models.items():
        if rights.decisions[name].allowed:
            kind = model.placement.kind if model.space is None else f"{model.placement.kind}, embeddings"
            if model.group:
                permitted.setdefault(model.group, kind)
            permitted[name] = kind
    for name, kind in permitted.items():
        names.append((name, kind))
        names += [(alias, kind) for alias, meant in deployment.aliases.items() if meant == name]
    return names
