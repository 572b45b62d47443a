"""Lean rules, written out as Cedar: what `fairlead policy show` prints is what decides."""

from collections.abc import Sequence

from fairlead.errors import BadInput
from fairlead.policy.settings import Allow, Rule, Scope, Start
from fairlead.policy.sources import quoted

FILE = "rules"
_DEFAULT_CALL = """@id("default-call") @reason("every caller may call every model, as the workspace says nothing else")
permit(principal, action == Action::"call_model", resource);
"""
_DEFAULT_REST = """@id("default-read") @reason("the item's audience names the caller, or everyone")
permit(principal, action == Action::"read_context", resource)
when { resource.audience.contains("everyone") || resource.audience.containsAny(principal.known_as) };
@id("default-release") @reason("replies are released to whoever asked")
permit(principal, action == Action::"release_reply", resource);
"""
_DEFAULT_TOOLS = """@id("default-tools") @reason("every caller may use tools that only read, as nothing else is said")
permit(principal, action in Action::"call_tool", resource) when { resource.effect == "read" };
@id("default-results") @reason("results are given to whoever called the tool")
permit(principal, action == Action::"release_result", resource);
"""
_DEFAULT_MEMORY = """@id("default-memory") @reason("what is a person's own, of a session or a run, may be remembered")
permit(principal, action in [Action::"memory.remember", Action::"memory.forget"], resource)
unless { context.arguments has scope && context.arguments.scope like "team:*" };
"""
DEFAULT_START = """@id("default-start") @reason("every caller may begin every workflow, as no policy says who may")
permit(principal, action == Action::"start_workflow", resource);
"""
_VERBS = ("redact", "pseudonymise", "keep_local", "refuse", "withhold", "allow", "start")
_WHO = ("mode", "groups", "departments", "persons")


def defaults(rules: Sequence[Rule], *, tools: bool = False, memory: bool = False) -> str:
    """The permits of a workspace without Cedar files. An `allow` rule replaces the general permit to call models."""
    calls = "" if any(rule.allow is not None for rule in rules) else _DEFAULT_CALL
    return calls + _DEFAULT_REST + (_DEFAULT_TOOLS if tools else "") + (_DEFAULT_MEMORY if memory else "")


def to_cedar(rules: Sequence[Rule], categories: frozenset[str]) -> str:
    """The rules as Cedar policies `rule-1`, `rule-2`, … Raises BadInput where a rule does not do exactly one thing, or
    names a category that no detector finds."""
    return "".join(_written(number, rule, categories) for number, rule in enumerate(rules, 1))


def _written(number: int, rule: Rule, categories: frozenset[str]) -> str:
    verbs = [verb for verb in _VERBS if getattr(rule, verb) not in ((), None)]
    if len(verbs) != 1:
        raise BadInput(
            f"rules: rule {number} " + (f"does {' and '.join(verbs)}" if verbs else "does nothing"),
            mend="write one of redact, keep_local, refuse, withhold, allow, start in each rule",
        )
    if rule.audience != "any" and verbs[0] not in ("redact", "pseudonymise"):
        raise BadInput(f"rules: rule {number}: `for` belongs to redact, not to {verbs[0]}", mend="leave `for` out")
    if rule.audience == "replies" and rule.pseudonymise:
        raise BadInput(
            f"rules: rule {number}: replies are not pseudonymised",
            why="nobody would put the values back",
            mend="use redact, or for: cloud",
        )
    if unknown := [each for each in rule.labels if each not in categories]:
        raise _unknown(number, unknown[0], categories)
    if rule.allow is not None:
        _refuse_scope(number, rule, "allow", _WHO)
        return _permitted(number, "call_model", [*who_tests(rule.allow), *_what(rule.allow.models), *scope_tests(rule)])
    if rule.start is not None:
        _refuse_scope(number, rule, "start", (*_WHO, "tasks", "labels", "doors"))
        what = " || ".join(f"resource == Workflow::{quoted(each)}" for each in rule.start.workflows)
        tests = [*who_tests(rule.start), *([f"({what})"] if what else []), *scope_tests(rule)]
        return _permitted(number, "start_workflow", tests)
    return _forbidden(number, verbs[0], getattr(rule, verbs[0]), rule, categories)


def _unknown(number: int, name: str, known: frozenset[str]) -> BadInput:
    return BadInput(
        f"rules: rule {number} names the category {name!r}, which no detector finds",
        mend="use one of " + ", ".join(sorted(known)) + ", or add a detector in rules/*.yaml",
    )


def _forbidden(number: int, verb: str, named: Sequence[str], rule: Rule, known: frozenset[str]) -> str:
    audience = rule.audience
    if unknown := [each for each in named if each not in known]:
        raise _unknown(number, unknown[0], known)
    replies = verb == "withhold" or audience == "replies"
    local = verb == "keep_local" or audience == "cloud"
    said = {
        "redact": f"{_listed(named)} must be taken out" + {"cloud": " for cloud models"}.get(audience, ""),
        "pseudonymise": f"{_listed(named)} must leave as pseudonyms" + {"cloud": " for cloud models"}.get(audience, ""),
        "keep_local": f"{_listed(named)} must not leave for a cloud model",
        "refuse": f"{_listed(named)} must not be sent to any model",
        "withhold": f"{_listed(named)} must not be released in a reply",
    }[verb]
    tests = [f"context.{'categories' if replies else 'labels'}.containsAny([{', '.join(map(quoted, named))}])"]
    if local:
        tests.append('resource.kind == "cloud"')
    tests += scope_tests(rule)
    lifted = f" @{verb}({quoted(','.join(named))})" if verb in ("redact", "pseudonymise") else ""
    return (
        f'@id("rule-{number}") @reason({quoted(f"rule {number}: {said}")}){lifted}{mode_note(rule)}\n'
        f'forbid(principal, action == Action::"{"release_reply" if replies else "call_model"}", resource)\n'
        f"when {{ {' && '.join(tests)} }};\n"
    )


def mode_note(scope: Scope) -> str:
    """The annotation of a rule that is not enforced."""
    return "" if scope.mode == "enforce" else f" @mode({quoted(scope.mode)})"


def scope_tests(scope: Scope) -> list[str]:
    """What Cedar must find for the rule to hold here, for this caller."""
    who = [f"principal in Group::{quoted(each)}" for each in scope.groups]
    who += [f"principal in Department::{quoted(each)}" for each in scope.departments]
    who += [f"principal == Person::{quoted(each)}" for each in scope.persons]
    tests = [
        f"[{', '.join(map(quoted, names))}].contains(context.{key})"
        for key, names in (("task", scope.tasks), ("door", scope.doors))
        if names
    ]
    if scope.labels:
        tests.append(f"context.labels.containsAny([{', '.join(map(quoted, scope.labels))}])")
    return [*tests, *([f"({' || '.join(who)})"] if who else [])]


def who_tests(given: Allow | Start) -> list[str]:
    """What Cedar must find for it to be given to this caller; nothing where it is for everybody."""
    who = [f"principal in Group::{quoted(each)}" for each in given.groups]
    who += [f"principal in Department::{quoted(each)}" for each in given.departments]
    who += [f"principal == Person::{quoted(each)}" for each in given.persons]
    return [f"({' || '.join(who)})"] if who else []


def _what(models: Sequence[str]) -> list[str]:
    return [f"({' || '.join(f'resource in Model::{quoted(each)}' for each in models)})"] if models else []


def _refuse_scope(number: int, rule: Rule, verb: str, keys: Sequence[str]) -> None:
    for key in keys:
        if getattr(rule, key) in ((), "enforce"):
            continue
        if key == "mode":
            why, mend = "a permit cannot only watch", "leave it out"
        elif key in ("tasks", "labels", "doors"):
            why, mend = "it is said of requests to models", "leave it out, or write the rule in Cedar"
        else:
            why = f"{verb} says itself for whom it is"
            mend = f"move it below {verb}, as in {verb}: {{{key}: […]}}"
        raise BadInput(f"rules: rule {number}: `{key}` does not belong beside {verb}", why=why, mend=mend)


def _permitted(number: int, action: str, tests: Sequence[str]) -> str:
    condition = f"\nwhen {{ {' && '.join(tests)} }}" if tests else ""
    return (
        f'@id("rule-{number}") @reason("rule {number} of the workspace allows it")\n'
        f'permit(principal, action == Action::"{action}", resource){condition};\n'
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
