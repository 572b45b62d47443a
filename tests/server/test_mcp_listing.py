"""Names by which the MCP door lists what systems offer."""

from fairlead.server.mcp.listing import _listed


def test_no_two_tools_are_listed_by_one_name() -> None:
    """Also where a system names one as the door would have named another."""
    long = "crm." + "a" * 80
    first = _listed(long, {})
    assert len(first) <= 64
    again = _listed(long, {first: "crm.imitation"})
    assert (again != first, len(again) <= 64) == (True, True)
    assert _listed("a.b__c", {}) != _listed("a__b.c", {_listed("a.b__c", {}): "a.b__c"})
