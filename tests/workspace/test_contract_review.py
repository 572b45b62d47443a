"""The template for contracts: whatever a contract or a model says, quotes are the contract's and citations are ours."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from evals.contracts import ORGANISATION, TEMPLATE, Reviewer

from fairlead.tools import ToolError
from fairlead.tools.python import load

KEPT = Path(__file__).parents[2] / "evals" / "contracts_kept"


@pytest.fixture(scope="module")
def reviewer() -> Reviewer:
    return Reviewer()


def module(name: str) -> dict[str, Any]:
    path = TEMPLATE / name
    return {key: each.run for key, each in load(path.read_bytes(), path.name).functions.items()}


def test_a_text_that_speaks_to_machines_changes_nothing_and_is_shown(reviewer: Reviewer) -> None:
    text = (KEPT / "seen" / "hostile-servers.md").read_text()
    without = "\n".join(line for line in text.split("\n") if "SYSTEM" not in line and "Note to" not in line)
    assert reviewer.review(text)[0] == reviewer.review(without)[0] != set()
    found = module("workflows/contract_clauses.py")["extracted"](text, ORGANISATION)
    assert ["approved by legal counsel" in each["text"] for each in found["instructions"]] == [True]
    assert "5 days" not in str(found["said"])  # what it says of our own terms is nothing that anybody asked it


def test_a_model_counts_only_where_its_quote_stands_and_rules_are_silent() -> None:
    joined = module("workflows/contract_clauses.py")["joined"]
    text = "4 Odd clause\nThe moon rises, and invoices bear fruit for 40 days.\n"
    said = {"measure": "late_interest", "number": 4.0, "word": "", "why": "", "quote": "x", "place": "1", "by": "rules"}
    found = {"said": [said], "unread": [{"place": "4", "text": text}]}
    quote = "invoices bear fruit for 40 days"
    right = {"measure": "payment_days", "number": 40, "quote": quote}
    for wrong in (
        {**right, "quote": "invoices bear fruit for 90 days"},  # no such words
        {**right, "number": 90},  # no such number
        {**right, "measure": "approve_all"},
        {**right, "measure": "late_interest"},  # the rules have read that
    ):
        assert joined(found, [wrong], text) == [said]
    assert joined(found, [right], text)[1]["by"] == "model"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("shall not exceed EUR 1,000,000.", []),
        ("shall not exceed EUR 500,000.", [("liability_cap:major", 125.0)]),
        ("is limited to what its insurance pays, at most EUR 1,000,000.", [("liability_cap:unread", None)]),
        ("shall not exceed EUR 1,000,000, save for loss of data, for which it has no liability.",
         [("liability_cap:unread", None)]),
        ("shall not exceed EUR 1,000,000. For lost data its liability shall not exceed EUR 500.",
         [("liability_cap:contradiction", 250.0)]),
    ],
)  # fmt: skip
def test_a_cap_in_money_is_reckoned_and_doubted_like_any_other(
    reviewer: Reviewer, words: str, found: list[tuple[str, float | None]]
) -> None:
    text = (
        'Services Agreement\n\nbetween Acme Ltd (the "Supplier") and Northlight Home Ltd (the "Customer").\n\n'
        f"1. Liability\nThe Supplier's total liability under this Agreement {words}\n"
    )
    clauses, terms = (module(f"workflows/contract_{each}.py") for each in ("clauses", "terms"))
    read = clauses["extracted"](text, ORGANISATION)
    result = terms["compared"](read, clauses["joined"](read, [], text), text, reviewer.pages, 400_000)
    told = [each for each in result["deviations"] if each["measure"] == "liability_cap"]
    assert [(each["code"], each["number"]) for each in told] == found


def test_a_quote_or_citation_that_is_not_there_is_found(reviewer: Reviewer) -> None:
    proven = module("workflows/contract_proof.py")["proven"]
    cite = reviewer.pages[0]["sections"][0]["cite"]
    words = reviewer.pages[0]["sections"][0]["text"].split("\n")[0]
    whole = {"measure": "m", "quote": "as it is", "beside": [], "standing": "beyond", "cite": cite, "row": words}
    result = {"deviations": [{**whole, "history": []}], "preferred": []}
    assert proven(result, "It stands\nas it  is.", reviewer.pages)["proven"]
    for key, value in (("quote", "as it was"), ("cite", "contracts/none@1#2"), ("row", "| not | ours |")):
        other = {"deviations": [{**whole, "history": [], key: value}], "preferred": []}
        assert not proven(other, "It stands\nas it is.", reviewer.pages)["proven"]


def test_the_page_shows_what_a_contract_says_as_text() -> None:
    page = module("workflows/contract_report.py")["page"]
    bad = "<script>alert(1)</script>"
    deviation = {
        "measure": "payment_days", "severity": "major", "standing": "limit", "quote": bad, "place": bad, "cite": "c",
        "row": "r", "beside": [{"quote": bad, "place": bad}], "history": [], "why": "", "read_by": "rules",
        "suggestion": "",
    }  # fmt: skip
    result = {
        "decision": "counsel", "severity": "major", "type": "nda", "language": "en", "annual_value": None,
        "value_in_contract": 5.0, "appetite": {"row": "r", "cite": "c"}, "deviations": [deviation], "preferred": [],
        "attention": [{"kind": "unusual", "severity": "minor", "place": bad, "text": bad}],
    }  # fmt: skip
    assert "<script" not in page(bad, result, 1)
    assert page(bad, result, 1).count("&lt;script&gt;") >= 6


def test_documents_of_word_are_read_and_others_refused() -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_heading("Supply Agreement", 0)
    document.add_heading("1. Payment", 1)
    document.add_paragraph("The Buyer pays each invoice within 20 days.")
    held = io.BytesIO()
    document.save(held)
    told = module("workflows/contract_words.py")["words"]
    functions = load((TEMPLATE / "systems" / "contracts.py").read_bytes(), "contracts.py").functions
    of = functions["read"].form.__annotations__["document"]

    def words(name: str, content: bytes) -> str:
        said = told({"name": name, "base64": base64.b64encode(content).decode()})
        return str(functions["read"].run(of(**said)).text)

    assert "within 20 days" in words("supply.docx", held.getvalue())
    for name, content, why in (
        ("blank.txt", b" \n", "holds no text"),
        ("empty.pdf", b"", "is empty"),
        ("saved.pdf", b"<html>404: not found</html>", "is called PDF and is none"),
        ("picture.png", b"\x89PNG\xff\xfe", "neither PDF, DOCX nor text"),
        ("long.txt", b"words and words " * 40_000, "split it"),
        ("broken.pdf", b"%PDF-1.7 nothing", "cannot be read"),
    ):
        with pytest.raises(ToolError, match=why):
            words(name, content)
