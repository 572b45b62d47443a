"""What a publish would change, said in the words of the workspace."""

from fairlead.workspace.changes import diff
from fairlead.workspace.text import WorkspaceText

OLD = WorkspaceText(
    {
        "fairlead.yaml": b"organisation: a\nmodels: {x: v/1, y: v/2}\nprefer: [x]\n"
        b"budgets: {organisation: {monthly: 1}}\n",
        "policies/main.cedar": b"permit(principal, action, resource);",
        "context/a.md": b"a",
    }
)


def test_nothing_differs_between_equal_texts() -> None:
    assert diff(OLD, WorkspaceText(dict(OLD.files))) == ()


def test_files_come_first_then_what_they_mean() -> None:
    new = WorkspaceText(
        {
            "fairlead.yaml": b"organisation: a\nmodels: {x: v/9, z: v/3}\nprefer: [z]\n",
            "policies/main.cedar": b"forbid(principal, action, resource);",
            "tasks/q.yaml": b"",
            ".prices.json": b"{}",
        }
    )
    assert [str(change) for change in diff(OLD, new)] == [
        "added file .prices.json",
        "removed file context/a.md",
        "changed file fairlead.yaml",
        "changed file policies/main.cedar",
        "added file tasks/q.yaml",
        "removed budget organisation",
        "changed model x",
        "removed model y",
        "added model z",
        "changed setting prefer",
        "added price list of the vendors",
        "removed context item a",
        "changed policy file main",
        "added task type q",
    ]


def test_a_text_that_does_not_parse_is_still_compared_by_file() -> None:
    new = WorkspaceText({**OLD.files, "fairlead.yaml": b"a: ["})
    assert "changed file fairlead.yaml" in map(str, diff(OLD, new))
