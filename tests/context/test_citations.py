import pytest

from fairlead.context import Citation, Pack, citations_in

PACK = Pack(
    citations=tuple(
        Citation(name, "Title", section, "owner")
        for name, section in (("a/b@0123456789ab", "1"), ("c, d@0123456789ab", "2"), ("a/b@0123456789ab", "3"))
    )
)


@pytest.mark.parametrize(
    ("reply", "sections"),
    [
        ("Thirty days [a/b@0123456789ab].", ["1"]),
        ("[c, d@0123456789ab] and [a/b@0123456789ab] and [c, d@0123456789ab]", ["2", "1"]),
        ("[a/b@0123456789ab; other@0123456789ab]", ["1"]),
        ("[other@0123456789ab] a/b@0123456789ab [a/b] [a/b@0123]", []),
        ("[[a/b@0123456789ab]]", ["1"]),
        ("", []),
        ("[" * 100_000, []),
        ("[" + "a" * 100_000, []),
    ],
)
def test_marks_of_the_pack_are_found_and_invented_ones_passed_over(reply: str, sections: list[str]) -> None:
    assert [citation.section for citation in citations_in(reply, PACK)] == sections
