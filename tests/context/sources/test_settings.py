"""context/sources.yaml: what is wrong is found when the workspace is checked, at its line."""

import pytest

from fairlead.workspace.compile import compile_workspace
from fairlead.workspace.problems import InvalidWorkspace
from fairlead.workspace.text import WorkspaceText

ENTRY = """organisation: acme
models:
  small: local/extractive
systems:
  wiki: {use: mcp, url: "https://wiki.example/mcp", offers: [resources]}
  crm: {use: mcp, url: "https://crm.example/mcp"}
"""


def checked(text: str) -> list[str]:
    files = {"fairlead.yaml": ENTRY, "context/sources.yaml": text}
    try:
        workspace = compile_workspace(WorkspaceText({k: v.encode() for k, v in files.items()}), {}.get, now=0)
    except InvalidWorkspace as error:
        return [str(each) for each in error.problems]
    return sorted(workspace.sources.sources)


def test_each_kind_of_source_is_read() -> None:
    assert checked("""
sources:
  handbook: {from: git, url: https://git.example/handbook.git, branch: main, folder: content}
  policies: {from: documents, path: ../policies, owner: legal, class: confidential}
  notes: {from: folder, path: /srv/notes, from_folders: [owner, audience]}
  wiki: {from: mcp, system: wiki, trusted: false}
""") == ["handbook", "notes", "policies", "wiki"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Handbook: {from: folder, path: a}", "sources.Handbook is not a name for a source"),
        ("a: {from: folder}", "lacks `path`"),
        ("a: {from: ftp, path: a}", "from"),
        ("a: {from: folder, path: a, ownr: x}", "did you mean `owner`?"),
        ("a: {from: git, url: 'ext::sh -c id'}", "neither an address nor a path"),
        ("a: {from: git, url: 'ext://x'}", "ext:// is not taken"),
        ("a: {from: git, url: '--upload-pack=id'}", "neither an address nor a path"),
        ("a: {from: git, url: 'ssh://-oProxyCommand=id/x'}", "ssh:// is not taken"),
        ("a: {from: git, url: 'git@host:path'}", "ssh://git@HOST/PATH"),
        ("a: {from: git, url: 'https://kim:secret@git.example/x'}", "holds a credential"),
        ("a: {from: git, url: x, branch: '--output=x'}", "no name of a branch"),
        ("a: {from: git, url: x, folder: ../etc}", "leads out of the repository"),
        ("a: {from: mcp, system: nothing}", "there is no system 'nothing'"),
        ("a: {from: mcp, system: crm}", "offers: [resources]"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(line: str, said: str) -> None:
    (problem,) = checked(f"sources:\n  {line}\n")
    assert problem.startswith("context/sources.yaml:2"), problem
    assert said in problem
