import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.policy.settings import FactSetting
from fairlead.policy.sources import quoted, schema_text, statements

PERMIT = 'permit(principal, action == Action::"call_model", resource)'


def test_each_policy_has_the_line_and_the_id_by_which_it_is_known() -> None:
    text = f'// all;\n{PERMIT};\n\n@id("mine; not \\" theirs")\n// why\n{PERMIT}'
    text += '\nwhen { context.door == "a;\\"b" }; // end'
    first, second = statements({"policies/base.cedar": text}, ())
    assert (first.id, first.where) == ("base-1", "policies/base.cedar:2")
    assert (second.id, second.where) == ('mine; not " theirs', "policies/base.cedar:4")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{PERMIT};\npermit(principal action, resource);", "policies/a.cedar:2: this is not a Cedar policy"),
        (f"\n{PERMIT} when {{ context.colour }};", "policies/a.cedar:2: attribute `colour`"),
        (f"{PERMIT} when {{ context.labels.contains(1) }};", "policies/a.cedar:1"),
        ('permit(principal, action == Action::"fly", resource);', "fly"),
        ("permit(principal == ?principal, action, resource);", "templates"),
        (f"\n\n{PERMIT}", "policies/a.cedar:3: this policy has no end"),
        (f'@id("x") {PERMIT};\n@id("x") {PERMIT};', "policies/a.cedar:2: policy id 'x' is taken"),
        (f'@redact("email") {PERMIT};', "@redact belongs to forbid"),
        (f"{PERMIT} when {{ resource.retention_days < 30 }};", "optional attribute"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_line_and_a_mend(text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        statements({"policies/a.cedar": text}, ())
    assert says in caught.value.message
    assert caught.value.mend


def test_declared_facts_become_part_of_the_schema() -> None:
    facts = [FactSetting("discount", "x", "decimal"), FactSetting("in", "x", "bool")]
    text = (
        'forbid(principal, action == Action::"release_reply", resource) when'
        ' { context.facts has discount && context.facts.discount.lessThan(decimal("1.0")) || context.facts has "in" };'
    )
    assert statements({"a.cedar": text}, facts)
    with pytest.raises(BadInput, match="discount"):
        statements({"a.cedar": text}, facts[1:])  # Cedar itself takes a test of an unknown fact for simply false
    assert cedarpy.Schema.from_str(schema_text(facts))


@given(st.text())
def test_a_quoted_name_means_itself_and_nothing_else(name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    (statement,) = statements({"a.cedar": f"{PERMIT} when {{ context.task == {quoted(name)} }};"}, ())
    assert statement.tree["conditions"][0]["body"]["=="]["right"] == {"Value": name}
