"""Cascades, held against the models, tiers, objectives and rules of the workspace."""

from tests.workspace.test_compile import LEAN, compiled, problems

MORE = """  other: openai/gpt-5-nano
  vectors: {use: openai/text-embedding-3-small, embeddings: {dimensions: 1536}}
"""
OTHER = LEAN.replace("prefer:", f"{MORE}prefer:")
AGREE = "keep_if: [agreement], agreement: {with: other, on: number}"


WRONG = [
    ("cascade: {models: [small, larg], keep_if: [schema]}", "1:27: there is no model `larg`"),
    ("cascade: {models: [small, vectors], keep_if: [schema]}", "1:27: `vectors` gives embeddings"),
    ("cascade: {models: [small], keep_if: [schema]}", "1:11: cascade.models has one model"),
    ("cascade: {models: [small, small], keep_if: [schema]}", "cascade.models names 'small' twice"),
    ("cascade: {keep_if: [schema, schema]}", "1:11: cascade.keep_if names a check twice"),
    ("cascade: {keep_if: []}", "1:11: "),
    ("cascade: {keep_if: [tone]}", "1:21: "),
    ("cascade: {keep_if: [grounded]}", "1:21: cascade.keep_if: `grounded` needs `context`"),
    ("cascade: {keep_if: [schema], share: 0.5}", "cascade.share is for `grounded`"),
    ("cascade: {keep_if: [agreement]}", "cascade.agreement and `agreement` in `keep_if` belong together"),
    ("cascade: {keep_if: [schema], agreement: {with: other}}", "belong together"),
    (f"cascade: {{models: [other, large], {AGREE}}}", "cascade.agreement.with names 'other', which"),
    (f"cascade: {{{AGREE.replace('other', 'nobody')}}}", "1:45: there is no model `nobody`"),
    (
        "{cascade: {models: [small, large], keep_if: [schema]}, objective: {maximise: quality}}",
        "both say in which order",
    ),
    ("cascade: {keep_if: [schema], when: novel}", "1:30: nothing can tell that a request is novel"),
    ("{tier: a, cascade: {models: [small, large], keep_if: [schema]}}", "`large` is in none of the tiers"),
]


def test_what_cannot_be_meant_is_told_at_its_line() -> None:
    entry = OTHER + "routing: {tiers: {a: [small]}}\n"
    # The name of each is a part of keys that are told.
    tasks = {f"tasks/{'t' * (number + 1)}.yaml": task for number, (task, _) in enumerate(WRONG)}
    told = problems({"fairlead.yaml": entry, **tasks})
    for path, (_, said) in zip(tasks, WRONG, strict=True):
        own = [each.removeprefix(f"{path}:") for each in told if each.startswith(path)]
        assert any(each.startswith(said) if said[0].isdigit() else said in each for each in own), (path, own)


def test_what_may_not_be_meant_is_remarked_on_and_what_is_said_compiles() -> None:
    task = "cascade: {models: [large, small], keep_if: [rules, schema], otherwise: keep}"
    found = compiled(
        {
            "fairlead.yaml": LEAN.replace("rules:\n  - {redact: [payment_card, secret], for: cloud}\n", ""),
            "tasks/q.yaml": task,
        }
    )
    said = [each for each in found.warnings if "cascade" in each]
    assert [
        part for part in ("`schema`", "`rules`", "'large' before 'small'") if any(part in each for each in said)
    ] == [
        "`schema`",
        "`rules`",
        "'large' before 'small'",
    ]
    cascade = found.tasks.types["q"].cascade
    assert cascade is not None
    assert (cascade.checks, cascade.keeps) == (("schema", "rules"), {"schema", "tools", "grounded", "agreement"})
    without = compiled({"fairlead.yaml": LEAN, "tasks/q.yaml": "description: A question."})
    assert without.tasks.types["q"].cascade is None
