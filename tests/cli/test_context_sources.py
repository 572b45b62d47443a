"""Bringing pages in at the command line: a folder as somebody has it, and sources that are synced."""

import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.context.sources.worlds import GIT, document
from tests.tools.mcp_world import forked
from tests.world import key_of, settings, write_workspace

from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    """A folder as people have them: other tools' lines, odd names, and files that cannot be pages."""
    folder = tmp_path / "Our handbook"
    for path, text in {
        "index.md": "# Welcome\n\nSee [leave](HR/leave%20%5B2026%5D.md).\n",
        "HR/leave [2026].md": "---\nlayout: wide\ntags: [a, b]\ntitle: Leave\n---\n# Leave\n\nThirty days.\n",
        "HR/Über uns.md": "+++\ntitle = 'About us'\ndraft = true\n+++\n<!-- a note -->\nWe sell lamps.\n",
        "Sales/price.md": "# Price\r\n\r\nTen.\r\n",
        "Sales/slip.md": "---\naudiance: [board]\n---\nDear.\n",
        "Sales/open.md": "---\ntitle: never closed\n",
        "logo.png": "",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    (folder / "Sales" / "old.md").write_bytes("# Größe\n".encode("latin-1"))
    (folder / "Sales" / "bytes.md").write_bytes(b"\x7fELF\x00\x00")
    (folder / "Sales" / "terms.docx").write_bytes(document("# Terms\nNet thirty days."))
    (folder / "Sales" / "loop").symlink_to(folder)
    (folder / "Sales" / "self.md").symlink_to(folder / "Sales" / "self.md")
    with (folder / "huge.md").open("wb") as file:
        file.truncate(200_000_000)
    return folder


def test_a_handbook_comes_in_with_every_broken_file_told(acme: Path, handbook: Path, fairlead: Fairlead) -> None:
    (handbook / "Sales" / "terms.docx").unlink()  # read by a program of its own, which has a test of its own
    assert "added: handbook/index.md" in fairlead("context", "add", handbook, "--into", "handbook", "--dry-run").out
    assert not (acme / "context" / "handbook" / "HR").exists()
    said = fairlead("context", "add", handbook, "--into", "handbook", "--owners-from-folders", "--class", "internal")
    assert said.status == 1
    assert "4 added, 7 broken" in said.err
    assert "1 .png" in said.err
    for piece in (
        "broken: huge.md\n    it has 200,000,000 bytes",
        "broken: Sales/slip.md\n    line 2: `audiance` is not a key that Fairlead reads\n    help: write `audience:`",
        "broken: Sales/open.md\n    line 1: the front matter is not closed",
        "broken: Sales/old.md\n    line 1 is not UTF-8",
        "broken: Sales/bytes.md\n    line 1 holds a NUL byte",
        "broken: Sales/loop\n    it is a link to a folder",
        "broken: Sales/self.md\n    it cannot be looked at",
    ):
        assert piece in said.out
    pages = acme / "context" / "handbook"
    assert (pages / "index.md").read_text() == (
        "---\nclass: internal\n---\n# Welcome\n\nSee [leave](HR/leave%20-2026-.md).\n"
    )
    assert (pages / "HR" / "leave -2026-.md").read_text() == (
        "---\ntitle: Leave\nowner: HR\nclass: internal\nlayout: wide\ntags: [a, b]\n---\n# Leave\n\nThirty days.\n"
    )
    assert (pages / "HR" / "Über uns.md").read_text().startswith("---\ntitle: About us\nstatus: draft\nowner: HR\n")
    assert (pages / "Sales" / "price.md").read_text().endswith("# Price\n\nTen.\n")
    assert fairlead("check").status == 0

    again = fairlead("context", "add", handbook, "--into", "handbook", "--owners-from-folders", "--class", "internal")
    assert "7 broken, 4 there already" in again.err
    (handbook / "index.md").write_text("# Other words\n")
    report = fairlead("context", "add", handbook, "--into", "handbook", "--encoding", "latin-1", "--json").json
    assert not report["ok"]
    outcomes = {each["path"]: each["what"] for each in report["added"][0]["outcomes"]}
    assert outcomes["index.md"] == "kept", "nothing is ever written over"
    assert outcomes["Sales/old.md"] == "added"
    assert (pages / "Sales" / "old.md").read_text() == "# Größe\n"


def test_where_pages_go_stays_within_the_context(acme: Path, handbook: Path, fairlead: Fairlead) -> None:
    for into in ("../outside", "/etc", "a/../../b", ".hidden", "a[b]"):
        assert fairlead("context", "add", handbook, "--into", into).status == 2
    assert fairlead("context", "add", handbook / "nothing.md").status == 2
    assert fairlead("context", "add", handbook / "logo.png").status == 1
    assert fairlead("context", "add", handbook / "index.md").status == 0
    assert (acme / "context" / "index.md").exists()
    outside = acme.parent / "outside"
    outside.mkdir()
    (acme / "context" / "link").symlink_to(outside)
    for into in ("link", "link/x", "link/x/y"):
        said = fairlead("context", "add", handbook / "index.md", "--into", into)
        assert (said.status, "link is in the way" in said.err) == (2, True), said.err
    assert not any(outside.iterdir())
    (acme / "context").rename(acme.parent / "elsewhere")
    (acme / "context").symlink_to(acme.parent / "elsewhere")
    assert "context/ is a link" in fairlead("context", "add", handbook / "HR", "--as-source", "hr").err
    assert not (acme.parent / "elsewhere" / "sources.yaml").exists()


def test_a_folder_becomes_a_source_that_is_synced_from_now_on(acme: Path, handbook: Path, fairlead: Fairlead) -> None:
    assert fairlead("context", "sync").status == 2, "there is none yet"
    said = fairlead("context", "add", handbook / "HR", "--as-source", "hr", "--owner", "people", "--audience", "people")
    assert said.status == 0, said.err
    assert (acme / "context" / "sources.yaml").read_text() == (
        'sources:\n  hr:\n    from: "folder"\n    owner: "people"\n    audience: ["people"]\n'
        '    path: "../Our handbook/HR"\n'
    )
    assert "owner: people\n" in (acme / "context" / "hr" / "leave -2026-.md").read_text()
    assert fairlead("check").status == 0
    assert fairlead("context", "add", handbook / "index.md", "--into", "hr").status == 2, "its folder is a source's"
    assert fairlead("context", "add", handbook / "HR", "--as-source", "hr").status == 2, "the name is taken"

    for command in (("init", "--quiet"), ("add", "index.md"), ("commit", "--quiet", "--message", "one")):
        subprocess.run(["git", *command], cwd=handbook, env=GIT, check=True, capture_output=True)
    assert fairlead("context", "add", handbook, "--as-source", "all").status == 0
    assert fairlead("context", "add", handbook, "--as-source", "Bad Name").status == 1
    (handbook / "HR" / "leave [2026].md").write_text("# Leave\n\nThirty-one days.\n")
    report = fairlead("context", "sync", "hr", "--json").json
    assert report["ok"]
    assert [(each["what"], each["page"]) for each in report["sources"][0]["outcomes"]] == [
        ("changed", "leave -2026-.md")
    ]
    handbook.rename(handbook.with_name("gone"))
    said = fairlead("context", "sync")
    assert said.status == 1
    assert "sources.hr: there is no folder" in said.err
    assert "sources.all: there is no repository" in said.err, "one that is down does not keep the others"
    assert fairlead("context", "sync", "nothing").status == 2


def test_resources_of_a_system_are_read_by_governed_calls(
    tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems = {"shop": {"use": "mcp", "command": forked("mcp_shop.py"), "offers": ["resources"]}}
    policies = """
@id("kim") permit(principal == Person::"kim", action in Action::"call_tool", resource in System::"shop");
@id("results") permit(principal, action == Action::"release_result", resource);
@id("cards") @redact("payment_card") forbid(principal, action == Action::"release_result", resource)
when { context.categories.contains("payment_card") };
"""
    whole = settings("http://127.0.0.1:9", systems=systems)
    folder = write_workspace(tmp_path / "acme", whole, {"policies/shop.cedar": policies})
    (folder / "context").mkdir(exist_ok=True)
    (folder / "context" / "sources.yaml").write_text("sources:\n  notes: {from: mcp, system: shop, trusted: false}\n")
    monkeypatch.chdir(folder)
    set_up(find(folder))
    assert fairlead("apply").status == 0
    said = fairlead("context", "sync", "--as", key_of("kim"))
    assert "1 added, 2 broken" in said.err, "what is no text is told"
    page = (folder / "context" / "notes" / "daily.md").read_text()
    assert 'trusted: false\nsource: notes\norigin: "note://daily"\n' in page
    assert "4111" not in page, "what policies keep from a caller does not come into their pages either"
    assert len(fairlead("runs", "--json").json) == 2, "each of them is an action with a record"
