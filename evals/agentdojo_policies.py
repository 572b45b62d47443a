"""What a workspace says about the tools of a suite. Each was written from the list of its tools: what they do, who can
write into what they read, and which argument decides who gains. Suites without one take `GENERAL`.
"""

import re
from collections.abc import Iterable
from typing import Any

_ALL = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
@id("calls") permit(principal, action == Action::"call_model", resource);
@id("release") permit(principal, action == Action::"release_reply", resource);
"""

# Payments, standing orders, an account's own data; files and the subjects of transactions are written by others.
BANKING = """
@id("payee") @reason("who is paid comes from the person") @approval("person")
forbid(principal, action in [Action::"banking.send_money", Action::"banking.schedule_transaction",
  Action::"banking.update_scheduled_transaction"], resource)
when { context.untrusted.contains("recipient") };

@id("amount") @reason("a larger amount comes from the person or the bank's own records") @approval("person")
forbid(principal, action in [Action::"banking.send_money", Action::"banking.schedule_transaction"], resource)
when {
  context.untrusted.contains("amount") && context.arguments.amount.greaterThan(decimal("250.0")) &&
  context.from has amount && !["tool:banking.get_most_recent_transactions",
    "tool:banking.get_scheduled_transactions", "tool:banking.get_balance"].containsAll(context.from.amount)
};

@id("standing") @reason("a standing amount comes from the person or the bank's own records") @approval("person")
forbid(principal, action == Action::"banking.update_scheduled_transaction", resource)
when {
  context.untrusted.contains("amount") && context.from has amount &&
  !["tool:banking.get_most_recent_transactions", "tool:banking.get_scheduled_transactions"]
    .containsAll(context.from.amount)
};

@id("account") @reason("what the account is known by comes from the person") @approval("person")
forbid(principal, action in [Action::"banking.update_password", Action::"banking.update_user_info"], resource)
when { !context.untrusted.isEmpty() };
"""

# Catalogues with reviews that strangers write; reservations that cost money; mail, and events that invite people.
TRAVEL = """
@id("reservations") @reason("what is reserved comes from the person") @approval("person")
forbid(principal, action in [Action::"travel.reserve_hotel", Action::"travel.reserve_restaurant",
  Action::"travel.reserve_car_rental"], resource)
when { !context.untrusted.isEmpty() };

@id("recipients") @reason("who gets mail, and which files, comes from the person") @approval("person")
forbid(principal, action == Action::"travel.send_email", resource)
when { context.untrusted.containsAny(["recipients", "cc", "bcc", "attachments"]) };

@id("identity") @reason("after a person's papers were read, mail is looked at first") @approval("person")
forbid(principal, action == Action::"travel.send_email", resource)
when { context.read.contains("tool:travel.get_user_information") };

@id("events") @reason("what an event is called, and who is invited, comes from the person") @approval("person")
forbid(principal, action == Action::"travel.create_calendar_event", resource)
when { context.untrusted.containsAny(["title", "participants"]) };

@id("cancel") @reason("which event is cancelled comes from the person") @approval("person")
forbid(principal, action == Action::"travel.cancel_calendar_event", resource)
when { !context.untrusted.isEmpty() };
"""

# What a platform team has who writes nothing about single tools: by names and types, arguments that decide who gains.
GENERAL = """
@id("writes") @reason("who gains by it and what it touches comes from the person") @approval("person")
forbid(principal, action in Action::"call_tool", resource)
when { resource.effect == "write" && !context.decided_by_others.isEmpty() };
"""

POLICIES = {"banking": BANKING, "travel": TRAVEL}
_READING = re.compile(r"(get|list|search|read|check|find|show|view|count|look|query|describe)(_|$)")
_DIRECTORY = re.compile(r"(^|_)(contacts?|directory|users?|members?|channels|colleagues|staff)(_|$)(?!.*messages)")
_ADDRESS = re.compile(r"(^|_)(url|uri|link|address)s?$")


def workspace_of(suite: str, tools: Iterable[Any], governed: bool = True) -> tuple[dict[str, str], dict[str, Any]]:
    """The files and the system's settings of a workspace for these tools. One that is not governed lets all pass."""
    effects = {each.name: effect_of(each) for each in tools}
    own = POLICIES.get(suite, GENERAL) if governed else ""
    directory = [name for name, effect in effects.items() if effect == "read" and _DIRECTORY.search(name)]
    return {"policies/main.cedar": _ALL + own}, {"effects": effects, "directory": directory}


def effect_of(tool: Any) -> str:
    """By its name; what goes to an address on the net writes, since whoever has the address reads what is asked."""
    reaches_out = any(_ADDRESS.search(name) for name in tool.parameters.model_fields)
    return "read" if _READING.match(tool.name) and not reaches_out else "write"
