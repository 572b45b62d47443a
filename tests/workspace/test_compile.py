"""Compiling: good workspaces become parts, bad ones give every problem at its line."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.context.vector_space import vector_space
from fairlead.errors import Withheld
from fairlead.execution.flow_path import FlowRules
from fairlead.identity.types import Caller
from fairlead.labels import DataClass
from fairlead.policy import Asked
from fairlead.workspace.compile import Workspace, compile_workspace
from fairlead.workspace.flowing import compile_flows
from fairlead.workspace.policy_tests import policy_results, require_policy_tests
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.templates import TEMPLATES, template_text
from fairlead.workspace.text import WorkspaceText

NOW = 1_795_000_000_000  # November 2026
KEY = "fl-a-key-of-thirty-characters-0"
NAMES = {"organisation": "Northlight Home"}


def compiled(files: dict[str, str], secrets: dict[str, str] | None = None) -> Workspace:
    text = WorkspaceText({path: content.encode() for path, content in files.items()})
    return compile_workspace(text, (secrets or {}).get, now=NOW)


def problems(files: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidWorkspace) as caught:
        compiled(files)
    return [str(problem) for problem in caught.value.problems]


LEAN = """organisation: acme
models:
  small: openai/gpt-5-mini
  large: anthropic/claude-sonnet-4-5
prefer: [small, large]
rules:
  - {redact: [payment_card, secret], for: cloud}
keys:
  app: {secret: env:FAIRLEAD_KEY, department: engineering}
"""


def test_ten_lines_are_a_workspace() -> None:
    secrets = {"env:FAIRLEAD_KEY": KEY, "env:OPENAI_API_KEY": "sk-x", "env:ANTHROPIC_API_KEY": "sk-y"}
    workspace = compiled({"fairlead.yaml": LEAN}, secrets)
    assert list(workspace.models.models) == ["small", "large"]
    assert workspace.preferences.prefer == ("small", "large")
    assert [(key.name, key.person, key.department) for key in workspace.identity.keys] == [
        ("app", "app", "engineering")
    ]
    assert set(workspace.rates) == {"small", "large"}
    assert workspace.warnings == ()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("fairlead.yaml", LEAN + "budgets: {organisation: {monthly: 100}}\n"),
        ("fairlead.yaml", LEAN + "identity:\n  providers: [{issuer: https://login.example.com, audience: fairlead}]\n"),
        ("fairlead.yaml", LEAN + "defaults: {max_output: 300, context: 500}\n"),
        ("context/handbook/a.md", "# A page\n\nSaid.\n"),
        ("tasks/question.yaml", "description: A question.\nexamples: [How long may I return a lamp?]\n"),
        ("rules/own.yaml", "detectors: [{name: badge, category: badge, pattern: 'NLB[0-9]{5}'}]\n"),
    ],
)
def test_each_other_part_is_added_by_itself(path: str, content: str) -> None:
    before = compiled({"fairlead.yaml": LEAN})
    after = compiled({"fairlead.yaml": LEAN, path: content})
    assert after.models.models == before.models.models
    assert after.preferences == before.preferences
    assert after.rates == before.rates


def test_missing_secrets_are_warnings_that_name_the_variable() -> None:
    workspace = compiled({"fairlead.yaml": LEAN})
    assert workspace.identity.keys == ()
    assert set(workspace.models.unavailable) == {"small", "large"}
    warnings = "\n".join(workspace.warnings)
    assert all(
        name in warnings for name in ("FAIRLEAD_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "no model is available")
    )


def test_problems_of_all_files_come_together_each_at_its_line() -> None:
    found = problems(
        {
            "fairlead.yaml": "organisation: acme\nmodels:\n"
            "  small: openai/gpt-5-mini\n  odd: nothing\n  other: also-nothing\n"
            "prefer: [smal]\nbudgets:\n  organisation: {monthly: lots}\n  tasks: {questoin: {daily: 1}}\n"
            "keys:\n  app: {secret: plain}\n",
            "rules/own.yaml": "detectors:\n  - {name: badge, category: badge, patern: x}\n",
            "policies/main.cedar": "permit(principal, action, resource);\n\nforbid(nobody);\n",
            "tasks/question.yaml": "description: A question.\nprefer: [large]\n",
            "context/a.md": "---\nclass: secretish\n---\n# A\n",
        }
    )
    places = [problem.split(": ")[0] for problem in found]
    assert places == [
        "context/a.md:2",
        "fairlead.yaml:4:8",
        "fairlead.yaml:5:10",
        "fairlead.yaml:6:10",
        "fairlead.yaml:8:27",
        "fairlead.yaml:9:11",
        "fairlead.yaml:11:9",
        "rules/own.yaml:2:5",
        "rules/own.yaml:2:36",
        "tasks/question.yaml:2:10",
    ]
    assert "did you mean" in "\n".join(found)


@pytest.mark.parametrize(
    "address", ["me:hidden@host/db", "me@host/db", "me:hid/den@host/db", "host:hidden/db", "host/db?hidden"]
)
def test_an_address_with_an_account_is_refused_at_its_line_without_repeating_it(address: str) -> None:
    systems = (
        f"systems:\n  shop:\n    use: sql\n    url: postgresql://{address}\n    queries: {{q: {{sql: SELECT 1}}}}\n"
    )
    (problem,) = problems({"fairlead.yaml": LEAN + systems})
    assert problem.startswith(f"fairlead.yaml:{(LEAN + systems).split('url:')[0].count(chr(10)) + 1}:")
    assert "systems.shop.url" in problem
    assert "hid" not in problem


def test_nothing_is_kept_of_what_agents_read_where_nobody_looks_at_it() -> None:
    systems = "systems:\n  desk: {use: python, file: desk.py}\n"
    files = {"systems/desk.py": 'def ask(text: str) -> str:\n    """Ask."""\n    return text\n'}
    base = "organisation: acme\nmodels:\n  small: openai/gpt-5-mini\n"
    looks = """permit(principal, action == Action::"call_tool", resource) when { context.untrusted.isEmpty() };"""

    def rules(yaml: str, **more: str) -> FlowRules | None:
        workspace = compiled({"fairlead.yaml": base + yaml, **files, **more})
        return compile_flows(workspace.settings, workspace.policy)

    agents = "agents:\n  bot: {passes_words_on: true}\n  other: {}\n"
    assert rules("") is None
    assert rules(systems) is None
    assert rules(systems, **{"policies/a.cedar": looks}) == FlowRules(frozenset())
    assert rules(systems + agents) == FlowRules(frozenset({"bot"}))
    assert rules(agents) is None  # nothing is called
    for off in ("flows: {keep: 0}\n", "payloads: none\n"):
        assert rules(systems + agents + off) is None


def test_schemas_of_what_is_extracted_are_checked_at_their_line() -> None:
    found = problems(
        {
            "fairlead.yaml": "organisation: acme\nmodels:\n  small: openai/gpt-5-mini\n"
            "systems:\n  bills: {use: python, file: bills.py}\n",
            "systems/bills.py": 'def bill(number: str) -> str:\n    """A bill."""\n    return number\n',
            "systems/bills.yaml": "tools:\n  bill:\n    extracts:\n      type: object\n      properties:\n"
            "        amount: {type: number, minimum: 0, maximum: 5}\n        kind: {anyOf: []}\n",
            "tasks/bill.yaml": "description: x\nextracts:\n  type: object\n  properties: {payee: {type: string}}\n",
            "tasks/odd.yaml": "extracts:\n  type: object\n  properties:\n    a: {type: number, minimum: low}\n",
        }
    )
    assert [problem.split(": ")[0] for problem in found] == [
        "systems/bills.yaml:7:16", "tasks/bill.yaml:2:1", "tasks/odd.yaml:1:1"
    ]  # fmt: skip
    assert "anyOf is not understood" in found[0]
    assert "extracts narrows nothing" in found[1]


def test_policies_are_checked_against_the_schema_with_their_line() -> None:
    found = problems(
        {
            "fairlead.yaml": LEAN,
            "policies/main.cedar": "permit(principal, action, resource);\n\n"
            'forbid(principal, action == Action::"call_model", resource)\nwhen { resource.sort == "cloud" };\n',
        }
    )
    assert len(found) == 1
    assert found[0].startswith("policies/main.cedar:3: ")


def test_a_file_that_is_no_text_is_a_problem_of_that_file() -> None:
    text = WorkspaceText({"fairlead.yaml": LEAN.encode(), "policies/a.cedar": b"\xff", "rules/a.yaml": b"\xff"})
    with pytest.raises(InvalidWorkspace) as caught:
        compile_workspace(text, {}.get, now=NOW)
    assert {problem.file for problem in caught.value.problems} == {"policies/a.cedar", "rules/a.yaml"}


def test_an_empty_folder_says_what_is_needed() -> None:
    assert problems({}) == [
        "fairlead.yaml:1:1: the file lacks `organisation` (add `organisation:`)",
        "fairlead.yaml:1:1: the file lacks `models` (add `models:`)",
    ]


def test_a_task_type_with_the_name_of_a_model_is_refused() -> None:
    found = problems({"fairlead.yaml": LEAN, "tasks/small.yaml": "description: x\n"})
    assert found[0].startswith("tasks/small.yaml: a model is named `small` too")
    aliased = LEAN.replace("small: openai/gpt-5-mini", "small: {use: openai/gpt-5-mini, aliases: [quick]}")
    found = problems({"fairlead.yaml": aliased, "tasks/quick.yaml": "description: x\n"})
    assert found[0].startswith("tasks/quick.yaml: `quick` is a model's alias")


def test_a_model_with_the_name_of_the_built_in_task_type_is_refused_at_its_line() -> None:
    renamed = LEAN.replace("small", "chat")
    (found,) = problems({"fairlead.yaml": renamed})
    assert found.startswith("fairlead.yaml:3:3: `chat` is the task type that is built in")
    assert "name the model otherwise" in found
    aliased = LEAN.replace("small: openai/gpt-5-mini", "small: {use: openai/gpt-5-mini, aliases: [chat]}")
    (found,) = problems({"fairlead.yaml": aliased})
    assert found.startswith("fairlead.yaml:3:45: `chat`")


def test_a_model_may_have_that_name_where_another_task_type_is_the_usual_one() -> None:
    usual = LEAN.replace("small", "chat") + "defaults: {task: talk}\n"
    assert compiled({"fairlead.yaml": usual, "tasks/talk.yaml": "description: x\n"})


def test_dozens_of_models_with_aliases_and_deployments_come_from_one_file() -> None:
    lines = [
        f"  m{n}: {{use: openai-compatible/m, url: 'http://127.0.0.1:{8000 + n}/v1', aliases: [a{n}], deployments: "
        f"{{eu: {{weight: 2}}, us: {{url: 'http://127.0.0.1:{9000 + n}/v1', priority: 1}}}}}}"
        for n in range(36)
    ]
    models = compiled({"fairlead.yaml": "organisation: acme\nmodels:\n" + "\n".join(lines) + "\n"}).models
    assert len(models.models) == 72
    assert (len(models.groups), len(models.aliases), len(models.endpoints)) == (36, 36, 72)


def test_what_is_wrong_with_a_task_type_is_a_problem_of_its_file() -> None:
    files = {
        "fairlead.yaml": LEAN,
        "tasks/one.yaml": "description: x\ngrounded: true\n",
        "tasks/two.yaml": "examples:\n  - fine\n  - '???'\n",
        "tasks/Three.yaml": "description: x\n",
    }
    found = problems(files)
    assert [problem.split(": ")[0] for problem in found] == [
        "tasks/Three.yaml:1:1",
        "tasks/one.yaml:2:1",
        "tasks/two.yaml:3:5",
    ]


def test_an_example_of_two_task_types_is_refused_where_it_stands_again() -> None:
    files = {"fairlead.yaml": LEAN, "tasks/a.yaml": "examples: [hello]\n", "tasks/b.yaml": "examples: [Hello]\n"}
    assert [problem.split(": ")[0] for problem in problems(files)] == ["tasks/b.yaml:1:12"]


def test_the_default_task_type_takes_the_default_context() -> None:
    workspace = compiled({"fairlead.yaml": LEAN + "defaults: {context: 700}\n"})
    assert workspace.tasks.default.context == 700
    named = {"fairlead.yaml": LEAN + "defaults: {task: q}\n", "tasks/q.yaml": "examples: [hello]\n"}
    assert compiled(named).tasks.default.name == "q"


def test_a_rule_that_allows_an_unknown_model_is_refused() -> None:
    lean = LEAN.replace("keys:", "  - {allow: {groups: [a], models: [lagre]}}\nkeys:")
    assert problems({"fairlead.yaml": lean}) == [
        "fairlead.yaml:8:36: there is no model `lagre` in this workspace (did you mean `large`?)"
    ]


def test_a_published_text_is_priced_by_the_list_that_it_carries() -> None:
    text = WorkspaceText({"fairlead.yaml": LEAN.encode(), ".prices.json": b"{}"})
    assert compile_workspace(text, {}.get, now=NOW).rates == {}


def test_a_model_without_a_price_is_a_warning() -> None:
    text = WorkspaceText({"fairlead.yaml": LEAN.encode(), ".prices.json": b"{}"})
    warnings = compile_workspace(text, {}.get, now=NOW).warnings
    assert sum("no known price" in warning for warning in warnings) == 2


def test_a_page_that_was_due_for_review_is_a_warning() -> None:
    workspace = compiled({"fairlead.yaml": LEAN, "context/a.md": "---\nowner: kim\nreview_by: 2026-01-01\n---\n# A\n"})
    assert "context/a.md was due for review on 2026-01-01 by kim" in workspace.warnings


def test_policies_that_name_an_unknown_model_are_a_warning() -> None:
    policy = 'permit(principal, action == Action::"call_model", resource == Model::"huge");\n'
    warnings = compiled({"fairlead.yaml": LEAN, "policies/a.cedar": policy}).warnings
    assert any("'huge'" in warning and warning.startswith("policies/a.cedar:1") for warning in warnings)


def test_a_policy_test_that_fails_is_a_problem_at_its_line() -> None:
    files = {
        "fairlead.yaml": LEAN,
        "policies/tests.yaml": "tests:\n  - {name: fine, expect: allow, model: small}\n"
        "  - {name: wrong, expect: deny, model: small}\n",
    }
    text = WorkspaceText({path: content.encode() for path, content in files.items()})
    workspace = compile_workspace(text, {}.get, now=NOW)
    with pytest.raises(InvalidWorkspace) as caught:
        require_policy_tests(workspace, text)
    assert [(problem.file, problem.line) for problem in caught.value.problems] == [("policies/tests.yaml", 3)]
    assert "wrong" in caught.value.problems[0].message


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles_and_its_policies_decide_as_meant(name: str) -> None:
    text = template_text(name, NAMES)
    workspace = compile_workspace(text, {}.get, now=NOW)
    assert workspace.organisation == "Northlight Home"
    assert [result.said for result in policy_results(workspace) if not result.passed] == []
    assert [
        warning for warning in workspace.warnings if "left out" not in warning and "no model is" not in warning
    ] == []


@pytest.fixture(scope="module")
def retail() -> Workspace:
    return compile_workspace(template_text("retail", NAMES), {}.get, now=NOW)


def test_the_retail_demonstration_is_rich(retail: Workspace) -> None:
    assert len(retail.items) >= 15
    assert len(retail.policy_cases) >= 20
    assert {item.data_class for item in retail.items} == set(DataClass)
    assert all(item.owner and item.verified and item.review_by for item in retail.items)


def test_a_discount_is_read_out_of_a_reply(retail: Workspace) -> None:
    caller = Caller(person="till", department="stores", groups=frozenset({"store_staff"}))
    screen = retail.policy.screen(caller, Asked("discount_offer"), retail.models.models["small"])
    with pytest.raises(Withheld):
        screen.feed("We are glad to offer you 35% off the sofa.")
        screen.close()


_ODD = """  odd: {use: 1}|keys: []|rules: {a: b}|prefer: small|prefer: [small, small]|models:|server: {port: x}
retries: null|budgets: {tasks: {x: {daily: -1}}}|identity: {providers: [{}]}|- a|a: [|&a *a|? x|  - {redact: [shoes]}
breaker: {share: 2}"""
_LINES = st.sampled_from(_ODD.replace("\n", "|").split("|"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), _LINES, st.booleans()), max_size=3))
def test_any_text_is_a_workspace_or_a_list_of_problems_with_places(edits: list[tuple[int, str, bool]]) -> None:
    lines = LEAN.splitlines()
    for at, line, instead in edits:
        lines[at : at + instead] = [line]
    text = WorkspaceText({"fairlead.yaml": "\n".join(lines).encode(), ".prices.json": b"{}"})
    found: tuple[Problem, ...] = ()
    try:
        compile_workspace(text, {}.get, now=NOW)
    except InvalidWorkspace as invalid:
        found = invalid.problems
    assert all(problem.file == "fairlead.yaml" and problem.line >= 1 and problem.message for problem in found)


def test_rules_files_name_task_types_and_models_that_exist() -> None:
    judges = "judge:\n  - {name: kind, model: smal, ask: Is it kind?, tasks: [chat]}\n"
    words = "words:\n  - {name: loud, never: [hey], tasks: [chat, orders]}\n"
    found = problems({"fairlead.yaml": LEAN, "rules/judges.yaml": judges, "rules/words.yaml": words})
    assert [each.split(" (")[0] for each in found] == [
        "rules/judges.yaml:2:18: there is no model that chats `smal` in this workspace",
        "rules/words.yaml:2:46: there is no task type `orders` in this workspace",
    ]


def test_a_rule_for_a_door_that_there_is_not_is_refused_wherever_it_stands() -> None:
    lean = (
        "organisation: acme\nmodels: {small: openai/gpt-5-mini}\nrules: [{withhold: [email], doors: [openai.chats]}]\n"
    )
    tests = "tests:\n  - {name: a, expect: allow, model: small, door: anthropic.message, task: ordres}\n"
    rules = "require:\n  - {name: signed, text: Yours, doors: [cli, openai.response]}\n"
    found = problems({"fairlead.yaml": lean, "rules/a.yaml": rules, "policies/tests.yaml": tests})
    assert [each.split(":")[0] for each in found] == ["fairlead.yaml", "policies/tests.yaml", "rules/a.yaml"]
    for said, meant in zip(found, ("openai.chat", "anthropic.messages", "openai.responses"), strict=True):
        assert f"(did you mean `{meant}`?)" in said


def test_a_policy_test_about_a_task_type_that_there_is_not_is_refused() -> None:
    tests = "tests:\n  - {name: a, expect: allow, model: small, task: chta}\n"
    found = problems({"fairlead.yaml": LEAN, "policies/tests.yaml": tests, "tasks/chat.yaml": "description: Chat.\n"})
    assert found == ["policies/tests.yaml:2:44: there is no task type `chta` in this workspace (did you mean `chat`?)"]


@pytest.mark.parametrize("kind", ["words", "require", "grounding", "judge"])
def test_a_rule_for_requests_with_a_category_that_nothing_finds_is_refused(kind: str) -> None:
    more = {"words": "never: [hey]", "require": "text: Yours", "judge": "model: small, ask: Kind?"}.get(
        kind, "share: 1"
    )
    rule = f"{kind}:\n  - {{name: one, labels: [emial, iban], {more}}}\n"
    found = problems({"fairlead.yaml": LEAN, "rules/a.yaml": rule})
    assert [each.split(":", 3)[3].strip() for each in found] == [
        "there is no category `emial` in this workspace (did you mean `email`?)"
    ]


def test_a_department_that_is_nearly_one_that_has_a_key_is_remarked_on_and_another_is_not() -> None:
    lean = "organisation: acme\nmodels: {small: openai/gpt-5-mini}\n"
    lean += "keys: {kim: {secret: 'env:KIM', person: kim, department: finance, groups: [staff]}}\n"
    rules = "words:\n  - {name: loud, never: [hey], departments: [finanse, sales, finance], groups: [staf]}\n"
    warnings = compiled({"fairlead.yaml": lean, "rules/a.yaml": rules}, {"env:KIM": "k" * 40}).warnings
    assert [each.partition("names the ")[2] for each in warnings if "did you mean" in each] == [
        "department 'finanse': did you mean `finance`?",
        "group 'staf': did you mean `staff`?",
    ]


def test_who_is_to_embed_the_pages_is_a_model_for_embeddings_with_a_price() -> None:
    lean = LEAN.replace("prefer:", "  vectors: {use: openai/text-embedding-9, embeddings: {}}\nprefer:")
    for name, said in (
        ("vector", "there is no model for embeddings `vector` in this workspace (did you mean `vectors`?)"),
        ("small", "`small` chats, and gives no embeddings (name a model for embeddings"),
        ("vectors", "nobody has said what vectors costs, so it cannot embed the pages (add it under `prices:`"),
    ):
        (found,) = problems({"fairlead.yaml": f"{lean}context: {{embeddings: {name}}}\n"})
        assert found.startswith("fairlead.yaml:11:")
        assert said in found, found
    (found,) = problems({"fairlead.yaml": f"{lean.replace('vectors:', 'local:')}context: {{embeddings: local}}\n"})
    assert "`local` is a word of this key" in found
    priced = compiled({"fairlead.yaml": f"{lean}context: {{embeddings: vectors}}\nprices: {{vectors: {{input: 1}}}}\n"})
    space = vector_space(priced.settings.context, priced.models.models.values())
    assert (space and (space.key, space.near, space.within)) == ("vectors=text-embedding-9", 0.25, 2.0)
    assert not any("no page may be given" in each for each in priced.warnings)
    groups = 'permit (principal in Group::"staff", action == Action::"call_model", resource);'
    text = f"{lean}context: {{embeddings: vectors}}\nprices: {{vectors: {{input: 1}}}}\n"
    closed = compiled({"fairlead.yaml": text, "policies/a.cedar": groups})
    assert any("no page may be given to vectors (no " in each for each in closed.warnings)
    assert vector_space(compiled({"fairlead.yaml": lean}).settings.context, priced.models.models.values()) is None
