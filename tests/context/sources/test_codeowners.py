"""Who owns a file by CODEOWNERS, by the examples of the hosts that read it."""

import pytest

from fairlead.context.sources.codeowners import read_owners

GITHUB = """
# the last line that covers a file counts
*                 @acme/everyone @kim
*.js              @js-owner # a comment
/build/logs/      @doctocat
docs/*            docs@acme.example
apps/             @octocat
/scripts/         @acme/scripts
**/logs           @logs
/apps/github
\\#odd.md          @odd
!no.js            @never
"""
GITLAB = """
* @everyone

[Documentation] @docs/team
docs/
README.md @readme

^[Optional][2] @@maintainer
*.rb
"""


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("readme.md", "everyone"),
        ("src/deep/a.js", "js-owner"),
        ("build/logs/a.txt", "logs"),
        ("build/other.txt", "everyone"),
        ("docs/start.md", "docs@acme.example"),
        ("docs/deep/start.md", "everyone"),
        ("a/apps/x.md", "octocat"),
        ("apps/github/x.md", ""),
        ("scripts/deep/run.md", "scripts"),
        ("a/scripts/run.md", "everyone"),
        ("deploy/logs/today.md", "logs"),
        ("#odd.md", "odd"),
        ("no.js", "js-owner"),
    ],
)
def test_the_last_line_that_covers_a_file_names_its_owner(path: str, owner: str) -> None:
    assert read_owners(GITHUB).of(path) == owner


@pytest.mark.parametrize(
    ("path", "owner"),
    [("a.md", "everyone"), ("docs/a.md", "team"), ("README.md", "readme"), ("x/a.rb", "maintainer")],
)
def test_sections_have_owners_of_their_own(path: str, owner: str) -> None:
    assert read_owners(GITLAB).of(path) == owner


def test_a_hostile_file_takes_no_time() -> None:
    owners = read_owners("\n".join(["*a" * 200 + "b @kim"] * 50))
    assert owners.of("a" * 4_000) == ""
