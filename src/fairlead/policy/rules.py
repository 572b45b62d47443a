"""Lean rules, written out as Cedar: what `fairlead policy show` prints is what decides."""

from collections.abc import Sequence

from fairlead.errors import BadInput
from fairlead.policy.settings import Allow, Rule, Scope
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
_VERBS = ("redact", "pseudonymise", "keep_local", "refuse", "withhold", "allow")


def defaults(rules: Sequence[Rule], *, tools: bool = False) -> str:
    """The permits of a workspace without Cedar files. An `allow` rule replaces the general permit to call models."""
    calls = "" if any(rule.allow is not None for rule in rules) else _DEFAULT_CALL
    return calls + _DEFAULT_REST + (_DEFAULT_TOOLS if tools else "")


def to_cedar(rules: Sequence[Rule], categories: frozenset[str]) -> str:
    """The rules as Cedar policies `rule-1`, `rule-2`, … Raises BadInput where a rule does not do exactly one thing, or
    names a category that no detector finds."""
    return "".join(_written(number, rule, categories) for number, rule in enumerate(rules, 1))


def _written(number: int, rule: Rule, categories: frozenset[str]) -> str:
    verbs = [verb for verb in _VERBS if getattr(rule, verb)]
    if len(verbs) != 1:
        raise BadInput(
            f"rules: rule {number} " + (f"does {' and '.join(verbs)}" if verbs else "does nothing"),
            mend="write one of redact, keep_local, refuse, withhold, allow in each rule",
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
        return _allowed(number, rule, rule.allow)
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


def _allowed(number: int, rule: Rule, allow: Allow) -> str:
    for key in ("mode", "groups", "departments", "persons"):
        if getattr(rule, key) not in ((), "enforce"):
            raise BadInput(
                f"rules: rule {number}: `{key}` does not belong beside allow",
                why="a permit cannot only watch" if key == "mode" else "allow says itself for whom it is",
                mend="leave it out" if key == "mode" else f"move it below allow, as in allow: {{{key}: […]}}",
            )
    who = [f"principal in Group::{quoted(each)}" for each in allow.groups]
    who += [f"principal in Department::{quoted(each)}" for each in allow.departments]
    who += [f"principal == Person::{quoted(each)}" for each in allow.persons]
    what = [f"resource in Model::{quoted(each)}" for each in allow.models]
    tests = [*(f"({' || '.join(each)})" for each in (who, what) if each), *scope_tests(rule)]
    condition = f"\nwhen {{ {' && '.join(tests)} }}" if tests else ""
    return (
        f'@id("rule-{number}") @reason("rule {number} of the workspace allows it")\n'
        f'permit(principal, action == Action::"call_model", resource){condition};\n'
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
