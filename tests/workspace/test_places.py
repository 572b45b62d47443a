"""Complaints of the packages find their line."""

import pytest

from fairlead.errors import BadInput
from fairlead.workspace.places import placed
from fairlead.workspace.yaml_lines import Document, parse_yaml

TEXT = """organisation: acme
prefer: [small, lagre]
rules:
  - {redact: [secret], for: cloud}
  - {refuse: [cards]}
keys:
  app: {secret: plain}
budgets:
  departments:
    web.shop: {daily: many}
    "*": {daily: 1}
identity:
  providers:
    - issuer: https://a
    - issuer: ftp://b
"""


@pytest.fixture
def document() -> Document:
    document = parse_yaml("fairlead.yaml", TEXT.encode())
    assert isinstance(document, Document)
    return document


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("prefer names 'lagre', which is no model of this workspace", 2),
        ("this quotes 'ftp://b' without a key", 15),
        ("rules: rule 2 names the category 'cards', which no detector finds", 5),
        ("keys.app.secret must be `env:NAME` or `sha256:HEX`", 7),
        ("budgets.departments.web.shop.daily is no amount: 'many'", 10),
        ("budgets.departments.*.daily is out of range", 11),
        ("identity.providers[1].issuer: 'ftp://b' is not protected by TLS", 15),
        ("something else is wrong", 1),
    ],
)
def test_a_named_key_gives_the_line(document: Document, message: str, line: int) -> None:
    problem = placed(BadInput(message), document)
    assert (problem.file, problem.line) == ("fairlead.yaml", line)


def test_a_key_is_found_below_the_part_that_was_compiled(document: Document) -> None:
    assert placed(BadInput("app: the secret is weak"), document, ("keys",)).line == 7
    assert placed(BadInput("nothing is named"), document, ("budgets",)).line == 8


def test_a_file_and_line_in_the_message_win(document: Document) -> None:
    problem = placed(BadInput("policies/main.cedar:7: this is not a policy", mend="end it"), document)
    assert str(problem) == "policies/main.cedar:7: this is not a policy (end it)"


def test_a_file_name_is_put_into_its_folder(document: Document) -> None:
    problem = placed(BadInput("handbook/a.md:3: `class` must be one of …"), document, folder="context/")
    assert problem.where == "context/handbook/a.md:3"


def test_the_reason_is_part_of_what_is_said(document: Document) -> None:
    problem = placed(BadInput("keys.app.secret is wrong", why="git holds no secret", mend="name a variable"), document)
    assert str(problem) == "fairlead.yaml:7:9: keys.app.secret is wrong: git holds no secret (name a variable)"
