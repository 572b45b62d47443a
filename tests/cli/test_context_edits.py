"""Corrections become proposed edits, which the owner accepts by one command."""

from pathlib import Path

from tests.cli.conftest import Fairlead

from fairlead.execution import Answer

RULE = ("--instead", "up to 130 a night", "--text", "up to 150 a night")


def page(folder: Path) -> Path:
    return folder / "context" / "handbook" / "travel.md"


def test_a_correction_of_an_answer_is_accepted_and_in_force(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    folder, answer = asked
    before = page(folder).read_bytes()
    looked = fairlead("context", "propose", "handbook/travel", *RULE, "--dry-run")
    assert "+The rules for business trips" in looked.out
    made = fairlead(
        "context", "propose", "handbook/travel", *RULE, "--answer", answer.run, "--reason", "new rates", "--json"
    )
    assert made.json["owner"] == "finance"
    request = made.json["request"]
    again = fairlead("context", "propose", "handbook/travel", *RULE)
    assert again.out.strip() == request, "the same words for the same version are one proposal"
    (listed,) = fairlead("context", "requests", "--mine", "finance", "--json").json
    assert (listed["kind"], listed["item"], listed["state"]) == ("edit", "handbook/travel", "open")
    assert "150 a night" not in str(listed), "what was proposed is sealed"
    shown = fairlead("context", "requests", "show", request[:12])
    assert "because: new rates" in shown.out
    assert "150 a night" in shown.out
    assert fairlead("context", "accept", request, "--dry-run").status == 0
    assert page(folder).read_bytes() == before
    assert fairlead("context", "accept", request, "--by", "lea").status == 0
    text = page(folder).read_text()
    assert "verified: {by: lea, at: 20" in text
    assert text.replace("150", "130").split("---\n", 2)[2] == before.decode().split("---\n", 2)[2], (
        "nothing else changed"
    )
    assert fairlead("apply", "--yes").status == 0
    assert fairlead("context", "accept", request).status == 2
    assert not fairlead("context", "requests", "--mine", "finance", "--json").json


def test_a_page_that_changed_meanwhile_is_not_overwritten_and_a_proposal_may_be_dismissed(
    live: Path, fairlead: Fairlead
) -> None:
    request = fairlead("context", "propose", "handbook/travel", *RULE).out.strip()
    page(live).write_text(page(live).read_text().replace("130", "140"))
    said = fairlead("context", "accept", request)
    assert said.status != 0
    assert "has changed where the proposal would change it" in said.err
    assert "140" in page(live).read_text()
    assert fairlead("context", "requests", "dismissed", request, "--reason", "it is 140 now").status == 0
    shown = fairlead("context", "requests", "show", request, "--json").json
    assert (shown["state"], shown["edit"]["answer"]) == ("dismissed", "it is 140 now")


def test_nobody_proposes_for_what_they_may_not_read_or_without_saying_what(live: Path, fairlead: Fairlead) -> None:
    hidden = fairlead("context", "propose", "handbook/pay-review", "--instead", "a", "--text", "b", "--as", "kim")
    unknown = fairlead("context", "propose", "handbook/none", "--instead", "a", "--text", "b", "--as", "kim")
    assert hidden.status == unknown.status == 2
    assert hidden.err.replace("pay-review", "none") == unknown.err, "what is hidden is as if it was not there"
    assert "stands 0 times" in fairlead("context", "propose", "handbook/travel", "--instead", "moon", "--text", "b").err
    assert "--from-file" in fairlead("context", "propose", "handbook/travel").err
    assert fairlead("context", "requests", "done", "req_nothing").status == 2
    assert fairlead("context", "requests", "lost", "req_nothing").status == 2


def test_an_erased_person_takes_their_words_with_them(live: Path, fairlead: Fairlead) -> None:
    request = fairlead("context", "propose", "handbook/travel", *RULE).out.strip()
    from fairlead.cli.place import user

    assert fairlead("data", "erase", user(), "--yes").status == 0
    said = fairlead("context", "requests", "show", request)
    assert "was erased" in said.err
    assert fairlead("context", "requests", "dismissed", request).status == 0


def test_a_proposed_text_decides_nothing_about_its_page(live: Path, fairlead: Fairlead) -> None:
    plain = live / "context" / "plain.md"
    plain.write_text("# Plain\n\nLamps are taken back.\n")
    assert fairlead("apply", "--yes").status == 0
    for mark in ("", "\ufeff"):
        hostile = live.parent / "hostile.md"
        hostile.write_text(
            f"{mark}\n{mark}---\naudience: [everyone]\nclass: public\n---\n# Plain\n\nLamps: {mark!r}.\n"
        )
        request = fairlead("context", "propose", "plain", "--from-file", hostile).out.strip()
        said = fairlead("context", "accept", request)
        assert (said.status != 0, "would begin with front matter" in said.err) == (True, True)
    assert plain.read_text() == "# Plain\n\nLamps are taken back.\n"
