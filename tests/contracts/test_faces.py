"""The faces of the packages: what each offers to the others under its own name. A change of a face is meant, or it is a
mistake: either way it is seen here, as the difference between the two lists."""

import ast
import difflib
import re
from pathlib import Path

import fairlead

SOURCE = Path(fairlead.__file__).parent
FROM = re.compile(r"^ *from fairlead\.(\w+) import (\([^)]*\)|.*)$", re.MULTILINE)
# Faces are small. What is not listed here lives in its module, and is imported from there.
FACES = """\
agreements: LANGUAGES
agreements: MEASURES
agreements: Clause
agreements: Parties
agreements: Position
agreements: Unheard
agreements: amounts
agreements: annual_value
agreements: bears_out
agreements: digits
agreements: doubted
agreements: heads_of
agreements: is_in_another_language
agreements: language_of
agreements: parties_of
agreements: position
agreements: read
agreements: split
agreements: standing_of
agreements: unheard
audit: EMPTY_ROOT
audit: Checkpoint
audit: Frontier
audit: NotCanonical
audit: Ring
audit: Verdict
audit: canonical
audit: consistency_proof
audit: inclusion_proof
audit: leaf_hash
audit: parse_checkpoint
audit: ring_of
audit: sign_checkpoint
audit: sign_succession
audit: verifier_key
audit: verifier_name
audit: verify_checkpoint
audit: verify_consistency
audit: verify_export
audit: verify_inclusion
audit: verify_records
audit: write_export
context: Citation
context: Context
context: ContextSettings
context: Hit
context: Item
context: Pack
context: citations_in
context: publish_items
context: read_item
context: render
controls: AlarmSettings
controls: ControlSettings
controls: Controls
controls: compile_controls
costs: Budgets
costs: Rate
costs: compile_budgets
costs: decode_rates
costs: encode_rates
costs: resolve_rates
documents: Invoice
documents: Unread
documents: agreement
documents: read_invoice
evidence: Pieces
evidence: Reader
evidence: answerable
evidence: differing
evidence: mentioned
evidence: statements_of
evidence: supported
execution: Answer
execution: Defaults
execution: Deliver
execution: Deployment
execution: Embedded
execution: Fairlead
execution: Quote
execution: Remember
execution: Reply
execution: ReplyChoice
execution: call_model
execution: embed
execution: merged_logprobs
execution: quote
execution: quote_embedding
execution: visible_models
identity: Authenticator
identity: Caller
identity: Identity
identity: IdentitySettings
identity: Key
identity: KeySettings
identity: compile_identity
identity: new_key
lanes: LaneRules
lanes: Lanes
lanes: LanesSettings
lanes: compile_lanes
policy: Asked
policy: CaseResult
policy: Policy
policy: PolicyCase
policy: Redaction
policy: Rule
policy: RulesFile
policy: Screen
policy: compile_policy
policy: models_compared
policy: run_policy_tests
routing: Candidate
routing: Dropped
routing: Health
routing: Plan
routing: Preferences
routing: candidates_for
routing: compile_routing
routing: pause_before_retry
routing: plan
routing: plan_embedding
routing: why_none
tasks: TaskSettings
tasks: TaskTypes
tasks: compile_tasks
telemetry: STAGES
telemetry: Span
telemetry: Trace
telemetry: decode
telemetry: load_by_layer
tools: NotAuthorised
tools: Person
tools: ToolError
""".splitlines()


def exported(face: ast.Module) -> list[str]:
    """`__all__`, read and not imported, so that looking at a face loads nothing."""
    for statement in face.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(statement.value)]
    return []


def imported(face: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for statement in face.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def faces() -> dict[str, ast.Module]:
    return {path.parent.name: ast.parse(path.read_text()) for path in sorted(SOURCE.glob("*/__init__.py"))}


def test_a_face_shows_what_this_list_says() -> None:
    shown = [f"{package}: {name}" for package, face in faces().items() for name in exported(face)]
    difference = "\n".join(difflib.unified_diff(FACES, shown, "this list", "the faces", lineterm="", n=0))
    assert not difference, f"if a face is meant to change, change this list with it:\n{difference}"


def test_a_face_imports_what_it_shows_and_nothing_else() -> None:
    wrong = {
        package: sorted(imported(face) ^ set(exported(face)))
        for package, face in faces().items()
        if imported(face) != set(exported(face))
    }
    assert not wrong, f"a face only gathers names (see costs/__init__.py): {wrong}"


def test_every_name_of_a_face_is_used_through_it() -> None:
    used = set()
    for path in (*SOURCE.rglob("*.py"), *Path(__file__).parents[1].rglob("*.py")):
        for package, names in FROM.findall(path.read_text()):
            if path.parent != SOURCE / package:
                used |= {f"{package}: {name}" for name in re.findall(r"\w+", names)}
    # The audit package is read by auditors, whose programs are not here.
    idle = [name for name in FACES if name not in used and not name.startswith("audit: ")]
    assert not idle, f"nobody imports these from the face, so they are inside names: {idle}"
