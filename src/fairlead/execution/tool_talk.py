"""What a system and the caller's program say to each other during a call, under the rules for the call itself: what the
system says is a result before the result, and what the program answers is an argument after the arguments."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.errors import BadInput, Denied, Withheld
from fairlead.execution.deployment import Deployment
from fairlead.execution.prepare import looked_at
from fairlead.execution.tool_asking import ToolDecided
from fairlead.execution.tool_release import released, without_credential
from fairlead.tools.nesting import is_too_deep
from fairlead.tools.settings import McpSettings
from fairlead.tools.talk import ASKED_BY, Notice, Talk
from fairlead.tools.types import ToolResult


def governed(deployment: Deployment, action: Action, decided: ToolDecided, talk: Talk | None) -> Talk | None:
    """The talk as the connector may have it, None where there is none to be had."""
    settings = decided.system.settings
    passes = settings.passes if isinstance(settings, McpSettings) else ()
    if talk is None or not passes:
        return None
    tell, ask, asks = talk.tell, talk.ask, "questions" in passes

    async def screened(told: Mapping[str, Any]) -> Mapping[str, Any]:
        if is_too_deep(told):
            raise Withheld(
                "what was said during the call is nested too deep to be looked through",
                why="what nobody can look through is not passed on",
                mend="have the system say it in flatter data",
            )
        said = without_credential(action, decided.credential, ToolResult(structured=told))
        result, _ = await released(deployment, action, decided, said)
        clean: Mapping[str, Any] = result.structured
        return clean

    async def tell_screened(notice: Notice) -> None:
        assert tell is not None
        try:
            told = await screened(notice.told)
        except Withheld:  # it is withheld by being left out; the result is judged for itself
            action.flags.append("left_out")
            return
        await tell(Notice(kind=notice.kind, told=told))

    async def ask_screened(method: str, about: Mapping[str, Any]) -> Any:
        assert ask is not None
        _refuse_undeclared(talk.abilities, method, about)
        action.flags.append("asked_back")
        given = await ask(method, await screened(about))
        await judge_answer(deployment, action, decided, given)
        return given

    return Talk(
        abilities={each: talk.abilities[each] for each in ASKED_BY.values() if each in talk.abilities} if asks else {},
        answers=talk.answers if asks else {},
        state=talk.state if asks else None,
        progress=talk.progress and "progress" in passes,
        log=talk.log if "logs" in passes else "",
        tell=tell_screened if tell is not None else None,
        ask=ask_screened if asks and ask is not None else None,
    )


async def judge_answer(deployment: Deployment, action: Action, decided: ToolDecided, given: Any) -> None:
    """An answer is judged as if it had stood in the arguments. Raises `Denied`."""
    text = msgspec.json.encode(given).decode()
    found = (await looked_at(deployment.policy, [text]))[text]
    action.labels = labels = decided.asked.labels.joined(found.labels)
    asked = replace(decided.asked, labels=labels)
    before = deployment.policy.tools.decide(action.caller, decided.asked)
    decision = deployment.policy.tools.decide(action.caller, asked)
    # Who approved the call was asked by these policies, and knows nothing of what others ask about.
    approved = {each.policy for each in before.reasons} if decided.approvals and before.effect == "ask" else set()
    news = {each.policy for each in decision.reasons} - approved
    if decision.effect == "deny" or (decision.effect == "ask" and (news or not decision.ask <= before.ask)):
        raise Denied(
            f"what was answered to {asked.tool.name} may not go there",
            why="; ".join(each.text for each in decision.reasons),
            mend="answer without it",
            subject=asked.tool.name,
        )


def _refuse_undeclared(abilities: Mapping[str, Any], method: str, about: Mapping[str, Any]) -> None:
    ability = ASKED_BY.get(method)
    declared = abilities.get(ability) if ability else None
    page = method == "elicitation/create" and about.get("mode") == "url"
    if declared is None or (page and "url" not in declared):
        raise BadInput(
            "the caller's program does not take such questions",
            why="a program is asked only what it has declared to take",
            mend="use a program that takes them, or call the tool with all that it needs",
        )
