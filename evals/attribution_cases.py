"""Chains of three agents, drawn by chance, each with one planted fault or none: `evals.attribution` runs them.

What is planted is planted in what the world says (a system's table, a model's words, a page, a policy), never in what
`fairlead trace` reads; nothing in any text names a fault.
"""

import json
import random
from dataclasses import dataclass, field
from typing import Any, Final

from evals.attribution_stage import POLICIES, Said

KINDS: Final = ("bad_tool_result", "hallucinated_value", "stale_context", "model_error", "policy_change")
SHAPES: Final = ("line", "read", "parallel", "map", "subflow")
_DOMAINS: Final = (
    ("unit_price", "discount", "contract", -1), ("fare", "surcharge", "booking", 1), ("tariff", "levy", "supply", 1),
    ("premium", "loading", "cover", 1), ("day_rate", "supplement", "assignment", 1), ("rent", "rebate", "lease", -1),
    ("freight", "allowance", "shipment", -1), ("fee", "margin", "mandate", 1),
)  # fmt: skip
_FIRST: Final = ("look", "fetch", "scout", "gather", "find")
_SECOND: Final = ("decide", "assess", "weigh", "rate", "settle")
_THIRD: Final = ("write", "offer", "draft", "conclude", "verify")
_NUMBER: Final = {"type": "number"}
_SYLLABLES: Final = (
    "hal",
    "ven",
    "tor",
    "mar",
    "lin",
    "bek",
    "sun",
    "dor",
    "fjel",
    "grae",
    "ost",
    "wil",
    "kap",
    "ner",
    "jut",
)


@dataclass
class Expected:
    step: str
    model: str
    input: str


@dataclass
class Case:
    """One run: what it is, what the world says, what happens while it waits, and what is to be found. `causes` are all
    that may be named where it is not `kind` alone."""

    kind: str
    mode: str
    number: int
    shape: str
    definition: dict[str, Any]
    subflows: dict[str, Any]
    results: dict[str, Any]
    input: dict[str, Any]
    tables: dict[str, dict[str, Any]]
    replies: dict[str, list[Said]]
    pages: dict[str, str]
    expected: Expected | None
    later_pages: dict[str, str | None] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    later_policies: dict[str, str] = field(default_factory=dict)
    earlier: list["Case"] = field(default_factory=list)
    ends: str = "failed"
    approves: bool = True
    answers: dict[str, Any] = field(default_factory=dict)
    causes: tuple[str, ...] = ()


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


class Draw:
    """Draws one case. `mode` is how its fault shows, one of `MODES` of its kind."""

    def __init__(self, kind: str, mode: str, number: int, rng: random.Random) -> None:
        self.kind, self.mode, self.number, self.rng = kind, mode, number, rng
        self.amount, self.percent, self.thing, self.sign = rng.choice(_DOMAINS)
        self.shape = rng.choice(SHAPES)
        if mode in ("own schema",):
            self.shape = "read"
        if mode == "argument" and self.shape == "read":
            self.shape = "line"
        if kind == "policy_change" and mode == "first tool":
            self.shape = "line"
        self.a, self.b, self.c = rng.choice(_FIRST), rng.choice(_SECOND), rng.choice(_THIRD)
        self.code = "".join(rng.sample(_SYLLABLES, 3)).capitalize()
        letters = "".join(rng.sample("ABCDEFGHKLMNPRSTUVWXYZ", 2))
        self.ids = [f"{letters}-{rng.randrange(1000, 9999)}" for _ in range(3 if self.shape == "map" else 1)]
        self.price = round(rng.uniform(20, 900) + 0.01 * rng.randrange(1, 99), 2)
        self.prices = [round(self.price + 7.13 * place, 2) for place in range(len(self.ids))]
        self.qty = rng.randrange(3, 60)
        self.rate = rng.randrange(6, 29) + rng.choice((0, 0.5))
        self.stock = rng.randrange(100, 900)
        self.where = rng.randrange(len(self.ids))  # which of a map's items the fault is in
        self.check = rng.choice(("book", "bound", "judged"))
        self.waits = (
            rng.choice(("first", "second")) if kind in ("stale_context", "policy_change") or rng.random() < 0.4 else ""
        )
        self.page = f"rules-{kind[:2]}-{number}"
        self.third_advised = rng.random() < 0.4
        self.stock_step = self.asks = False
        self.expected: Expected | None = None
        self.later_pages: dict[str, str | None] = {}
        self.later_policies: dict[str, str] = {}

    # ---- what is true ----------------------------------------------------------------------------------------------

    def page_text(self, rate: float, front: str = "") -> str:
        return (
            f"---\ntitle: {self.code} {self.thing}s\n{front}---\n# {self.code} {self.thing}s\n"
            f"The {self.percent} of a {self.code} {self.thing} is {rate:g} percent. It is granted once a year.\n"
        )

    def other_page(self, days: int) -> str:
        return (
            f"---\ntitle: {self.code} deadlines\n---\n# {self.code} deadlines\n"
            f"A {self.code} {self.thing} is answered within {days} days, and the {self.percent} is named in it.\n"
        )

    def net(self, prices: list[float]) -> float:
        return round(sum(prices) * self.qty, 2)

    def total(self, net: float, rate: float) -> float:
        return round(net * (100 + self.sign * rate) / 100, 2)

    # ---- the definition --------------------------------------------------------------------------------------------

    @property
    def a_place(self) -> str:
        return {
            "map": f"each[{self.where}].{self.a}",
            "subflow": f"part.{self.a}",
            "parallel": f"both.facts.{self.a}",
        }.get(self.shape, self.a)

    @property
    def b_place(self) -> str:
        return f"both.rules.{self.b}" if self.shape == "parallel" else self.b

    def first(self, id_: str) -> list[dict[str, Any]]:
        gives = obj(**{self.amount: _NUMBER, "supplier": {"type": "string"}, "remark": {"type": "string"}})
        if self.shape == "read":
            return [
                {"id": "source", "tool": {"call": "crm.record", "arguments": {"id": id_}}},
                {"id": self.a, "model": {"prompt": "Task one. Read the record of " + id_ + ": ${steps.source.value}",
                                         "model": "gamma", "gives": gives}},
            ]  # fmt: skip
        agent = {"goal": f"Task one. Look up {id_} and tell its {self.amount}.", "at_most": 4, "model": "gamma",
                 "tools": ["crm.record", "crm.stock"], "gives": gives}  # fmt: skip
        return [{"id": self.a, "agent": agent}]

    def second(self, taken: str) -> dict[str, Any]:
        gives = obj(rate=_NUMBER, net=_NUMBER, reason={"type": "string"}, confidence=_NUMBER)
        prompt = f"Task two. Which {self.percent} has the {self.code} {self.thing}? ${{input.qty}} pieces. {taken}"
        return {"id": self.b, "model": {"prompt": prompt, "task": "advised", "gives": gives}}

    def third(self, a: str, b: str) -> dict[str, Any]:
        gives = obj(total=_NUMBER, rate=_NUMBER, net=_NUMBER, sound={"type": "boolean"}, remark={"type": "string"},
                    priority={"type": "integer"})  # fmt: skip
        who = {"task": "advised"} if self.third_advised else {"model": "delta"}
        about = f"Task three. Write up the {self.code} {self.thing}, its {self.percent} too"
        prompt = f"{about}: ${{{b}}} and ${{{a}}}, ${{input.qty}} pieces."
        return {"id": self.c, "model": {"prompt": prompt, **who, "gives": gives}}

    def rules(self) -> list[dict[str, str]]:
        otherwise = "it is not as it ought to be"
        if self.check == "judged":
            return [{"that": "value.sound", "otherwise": otherwise}]
        if self.check == "bound":
            low, high = "double(input.least)", "double(input.most)"
            return [{"that": f"value.total >= {low} && value.total <= {high}", "otherwise": otherwise}]
        return [
            {"that": "value.rate == double(steps.book.value.rate)", "otherwise": otherwise},
            {"that": "value.net == double(steps.book.value.net)", "otherwise": otherwise},
            {"that": "value.total == double(steps.book.value.total)", "otherwise": otherwise},
        ]

    def definition(self) -> tuple[dict[str, Any], dict[str, Any]]:
        flows: dict[str, Any] = {}
        pause = {"id": "pause", "wait": {"signal": "go"}}
        book = {"id": "book", "tool": {"call": "ledger.entry", "arguments": {"id": "${input.ids[0]}"}}}
        one = "${input.ids[0]}"
        a_value, b_value = f"steps.{self.a}.value", f"steps.{self.b}.value"
        if self.shape == "map":
            inner = self.first("${item}")
            start = [{"id": "each", "map": {"over": "input.ids", "at_most": 9, "at_once": 1, "steps": inner}}]
            a_value = "steps.each.value"
        elif self.shape == "subflow":
            flows["finding"] = {"input": {"properties": {"id": {"type": "string"}}, "required": ["id"]},
                                "steps": self.first("${input.id}")}  # fmt: skip
            start = [{"id": "part", "subflow": {"workflow": "finding", "input": {"id": one}}}]
            a_value = "steps.part.value"
        elif self.shape == "parallel":
            inner_b = self.second(f"The {self.amount} is ${{input.about}}.")
            branches = {"facts": self.first(one), "rules": [inner_b]}
            start = [{"id": "both", "parallel": {"branches": branches}}]
            a_value, b_value = "steps.both.value.facts", "steps.both.value.rules"
        else:
            start = self.first(one)
        steps = [*start]
        if self.waits == "first" or (self.waits and self.shape == "parallel"):
            steps.append(pause)
        if self.shape != "parallel":
            steps.append(self.second(f"The facts: ${{{a_value}}}"))
        if self.waits == "second" and self.shape != "parallel":
            steps.append(pause)
        if self.stock_step:
            left = {"that": f"double(value.stock) >= {self.stock + 1}.0", "otherwise": "there is too little at hand"}
            stock = {"call": "crm.stock", "arguments": {"id": "${input.ids[0]}"}}
            steps.append({"id": "hand", "tool": stock, "check": {"rules": [left]}})
        if self.asks:
            steps.append({"id": "leave", "approval": {"role": "boss", "ask": "Shall it be written?"}})
        steps += [book] if self.check == "book" or self.mode == "step tool" else []
        third = self.third(a_value, b_value)
        if self.rng.random() < 0.5 or self.check == "judged":
            steps.append({**third, "check": {"rules": self.rules()}})
        else:
            whole = f"${{steps.{self.c}.value}}"
            steps += [third, {"id": "close", "transform": whole, "check": {"rules": self.rules()}}]
        properties = {"ids": {"type": "array", "items": {"type": "string"}}, "qty": {"type": "integer"},
                      "least": _NUMBER, "most": _NUMBER, "about": _NUMBER}  # fmt: skip
        return {"input": {"properties": properties}, "steps": steps}, flows

    # ---- what is said ----------------------------------------------------------------------------------------------

    def entry(self) -> dict[str, Any]:
        """What the ledger says of the first."""
        net = self.net(self.prices)
        return {"id": self.ids[0], "rate": self.rate, "net": net, "total": self.total(net, self.rate)}

    def case(self) -> Case:
        """The world of this case, with its fault planted."""
        told = _Told(self)
        getattr(self, f"plant_{self.kind}", lambda told: None)(told)
        self.distract(told)
        definition, flows = self.definition()
        entry = self.entry()
        tables: dict[str, dict[str, Any]] = {
            "crm.record": dict(told.records), "crm.stock": {id_: {"id": id_, "stock": self.stock} for id_ in self.ids},
            "ledger.entry": {self.ids[0]: entry},
        }  # fmt: skip
        true_total = entry["total"] if self.mode != "too little" else round(entry["total"] / 2, 2)
        about = {"least": round(true_total * 0.97, 2), "most": round(true_total * 1.03, 2), "about": self.price}
        results = {"crm.record": obj(**{self.amount: {"type": "number", "minimum": 0}})} if self.shape == "read" else {}
        earlier = [self._healthy(definition, flows, results, about, again) for again in range(told.earlier)]
        return Case(
            kind=self.kind, mode=self.mode, number=self.number, shape=self.shape, definition=definition,
            subflows=flows, results=results, input={"ids": self.ids, "qty": self.qty, **about}, tables=tables,
            replies=told.replies(), pages=told.pages, expected=self.expected, later_pages=self.later_pages,
            later_policies=self.later_policies, earlier=earlier, ends=told.ends, approves=told.approves,
        )  # fmt: skip

    def distract(self, told: "_Told") -> None:
        """Harmless oddities beside: another page changes, another rule comes, a model is away and another answers, a
        system's error is got over, a reply is asked for twice."""
        rng = self.rng
        if self.waits and rng.random() < 0.5:
            self.later_pages[f"{self.page}-b"] = self.other_page(rng.randrange(30, 60))
        if self.waits and rng.random() < 0.4:
            rule = f"aside-{self.number}-{rng.randrange(100, 999)}"
            body = 'forbid(principal == Person::"somebody-else", action, resource);'
            self.later_policies[f"policies/{rule}.cedar"] = f'@id("{rule}")\n{body}\n'
        if rng.random() < 0.3 and self.kind not in ("hallucinated_value", "stale_context", "model_error"):
            told.before["second"] = Said(status=503)
        if rng.random() < 0.3:
            told.stumbles = True

    def _healthy(self, definition: Any, flows: Any, results: Any, about: Any, again: int) -> Case:
        """A run of before, in which all was well, and the stock another."""
        told = _Told(self)
        told.sound = True
        entry = self.entry()
        tables: dict[str, dict[str, Any]] = {
            "crm.record": dict(told.records), "ledger.entry": {self.ids[0]: entry},
            "crm.stock": {id_: {"id": id_, "stock": self.stock + 31 * (again + 1)} for id_ in self.ids},
        }  # fmt: skip
        return Case(
            kind="", mode="earlier", number=self.number, shape=self.shape, definition=definition, subflows=flows,
            results=results, input={"ids": self.ids, "qty": self.qty, **about}, tables=tables,
            replies=told.replies(), pages={}, expected=None, ends="done",
        )  # fmt: skip

    def plant_none(self, told: "_Told") -> None:
        """Runs that end well, and such as end for an honest reason."""
        if self.mode in ("too little", "misfit"):
            told.ends, self.check = "failed", "bound"
        elif self.mode == "no stock":
            told.ends, self.stock_step = "failed", True
        elif self.mode == "denied":
            told.ends, told.approves, self.asks = "failed", False, True

    # ---- faults ----------------------------------------------------------------------------------------------------

    def _off(self, value: float) -> float:
        """Another value that nobody comes to by a slip of arithmetic."""
        return round(value * self.rng.choice((0.37, 0.61, 1.43, 1.87, 2.39, 3.7)) + self.rng.uniform(0.11, 3.3), 2)

    def plant_bad_tool_result(self, told: "_Told") -> None:
        id_, place = self.ids[self.where], self.a_place
        model, field_ = "gamma", self.amount
        if self.shape == "read":
            place, model = "source", ""
        self.expected = Expected(place, model, f"tool:crm.record#{field_}")
        wrong = self._off(self.prices[self.where])
        if self.mode == "own schema":
            wrong = -wrong
            told.read(self.where, wrong, id_)
        elif self.mode == "another record":
            self.expected.input = "tool:crm.record"
            told.read(self.where, wrong, id_[:-1] + str((int(id_[-1]) + 1) % 10))
        elif self.mode == "history":
            told.earlier = 2
            told.read(self.where, wrong, id_)
        else:
            listed = "".join(f"The {self.amount.replace('_', ' ')} of {each} is {price} euros.\n" for each, price in
                             zip(self.ids, self.prices, strict=True))  # fmt: skip
            told.pages[self.page] += listed
            told.read(self.where, wrong, id_)

    def plant_hallucinated_value(self, told: "_Told") -> None:
        if self.mode == "argument":
            id_ = self.ids[self.where]
            other = id_[:3] + "".join(self.rng.sample(id_[3:], 4))
            other = other if other != id_ else id_[:3] + str(int(id_[3:]) % 9000 + 1000)
            wrong = self._off(self.prices[self.where])
            told.records[other] = {
                "id": other,
                self.amount: wrong,
                "supplier": told.supplier,
            }
            told.asks[self.where] = other
            told.prices[self.where] = wrong
            self.expected = Expected(self.a_place, "gamma", "tool:crm.record#arguments.id")
        elif self.mode == "first":
            told.prices[self.where] = self._off(self.prices[self.where])
            self.expected = Expected(self.a_place, "gamma", f"value.{self.amount}")
        elif self.mode == "second":
            told.rate = self._off(self.rate) % 50 + 0.37
            told.rate = round(told.rate, 2)
            self.expected = Expected(self.b_place, "alpha", "value.rate")
            self.check = "book" if self.check == "bound" else self.check  # a bound may let a rate pass that is near
        else:
            told.third_rate = round(self._off(self.rate) % 50 + 0.41, 2)
            self.expected = Expected(self.c, "alpha" if self.third_advised else "delta", "value.rate")
            if self.check == "bound" or self.mode == "third total":
                told.third_rate, told.third_total = None, self._off(self.total(self.net(self.prices), self.rate))
                self.expected.input = "value.total"

    def plant_stale_context(self, told: "_Told") -> None:
        """The house has another figure by now, and the books too; the page that the model reads has the old one."""
        old, self.rate = self.rate, round(self.rate + self.rng.choice((-4, -3, 5, 7, 9)), 1)
        told.rate = old
        who, step = ("alpha", self.b_place)
        self.expected = Expected(step, who, f"{self.page}@")
        if self.mode == "expired":
            told.pages[self.page] = self.page_text(old, "expires: 2026-01-31\n")
        else:
            told.pages[self.page] = self.page_text(old)
            self.later_pages[self.page] = self.page_text(self.rate)
        if self.check == "bound":
            self.check = "book"

    def plant_model_error(self, told: "_Told") -> None:
        where = self.rng.choice(("first", "second", "third"))
        step, model = {
            "first": (self.a_place, "gamma"), "second": (self.b_place, "alpha"),
            "third": (self.c, "alpha" if self.third_advised else "delta"),
        }[where]  # fmt: skip
        advised = model == "alpha"
        if self.mode == "fallback":
            where, step, model = "second", self.b_place, "beta"
            told.before[where] = Said(status=503)
        elif self.mode == "down":
            told.before[where] = Said(status=500) if advised else None
            model = "delta" if advised else model
        told.instead[where] = {
            "down": Said(status=500),
            "cut": Said(text="", finish="length"),
            "refuses": Said(text="I'm sorry, but I can't help with that request."),
            "misshapen": Said(text=json.dumps({"answer": "see above", "note": "n/a"})),
            "fallback": Said(text=json.dumps({"rate": "unknown", "net": None})),
            "empty": Said(text=""),
        }[self.mode]
        self.expected = Expected(step, model, "prompt")

    def plant_policy_change(self, told: "_Told") -> None:
        self.waits = "first"
        rule = f"rule-{self.number}-{self.rng.randrange(100, 999)}"
        if self.mode == "step tool":
            body = 'forbid(principal, action == Action::"ledger.entry", resource);'
            self.expected = Expected("book", "", f"policy:{rule}")
        elif self.mode == "department":
            body = 'forbid(principal in Department::"sales", action == Action::"ledger.entry", resource);'
            self.expected = Expected("book", "", f"policy:{rule}")
        else:
            self.third_advised = False
            body = 'forbid(principal, action == Action::"call_model", resource == Model::"delta");'
            self.expected = Expected(self.c, "", f"policy:{rule}")
        if self.mode == "department":
            self.check = "book"
        self.later_policies[f"policies/{rule}.cedar"] = f'@id("{rule}") @reason("decided on Monday")\n{body}\n'


class _Told:
    """What the models say: each what follows from what it was given, but for what is planted."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        rng = random.Random(draw.number * 7919 + 13)
        self.supplier = f"{''.join(rng.sample(_SYLLABLES, 2)).capitalize()} & Sons"
        self.records = {
            id_: {"id": id_, draw.amount: price, "supplier": self.supplier}
            for id_, price in zip(draw.ids, draw.prices, strict=True)
        }
        self.asks = list(draw.ids)
        self.prices = list(draw.prices)
        self.rate = draw.rate
        self.third_rate: float | None = None
        self.third_total: float | None = None
        self.pages = {draw.page: draw.page_text(draw.rate), f"{draw.page}-b": draw.other_page(rng.randrange(2, 30))}
        self.before: dict[str, Said | None] = {}
        self.instead: dict[str, Said] = {}
        self.earlier = 0
        self.stumbles = False
        self.sound = draw.kind not in KINDS
        self.ends = "failed" if draw.kind in KINDS else "done"
        self.approves = True
        self.styles = rng

    def read(self, where: int, price: float, id_: str) -> None:
        """What the system says of an item, and the first agent after it."""
        self.records[self.draw.ids[where]] = {"id": id_, self.draw.amount: price, "supplier": self.supplier}
        self.prices[where] = price

    def replies(self) -> dict[str, list[Said]]:
        """By task, in the order in which they are asked."""
        draw, first = self.draw, list[Said]()
        for place, price in enumerate(self.prices):
            if draw.shape != "read":
                calls = [("crm__record", {"id": self.asks[place]})]
                if self.stumbles:
                    first.append(Said(calls=[("crm__stock", {"number": draw.ids[place]})]))
                if self.styles.random() < 0.5:
                    calls.append(("crm__stock", {"id": draw.ids[place]}))
                first.append(Said(calls=calls))
            shown: Any = price if self.styles.random() < 0.7 else f"{price:.2f}"
            said = {draw.amount: float(shown), "supplier": self.supplier, "remark": f"It is {price:,.2f} a piece."}
            first.append(self._said("first", said) if place == draw.where else Said(text=json.dumps(said)))
        net = draw.net(self.prices if draw.shape != "parallel" else [draw.price])
        reason = f"The house grants {self.rate:g} percent of {net:,.2f}."
        second = {
            "rate": self.rate,
            "net": net,
            "reason": reason,
            "confidence": round(self.styles.uniform(0.6, 0.99), 2),
        }
        whole = draw.net(self.prices)
        rate = self.third_rate if self.third_rate is not None else self.rate
        total = self.third_total if self.third_total is not None else draw.total(whole, rate)
        third = {"total": total, "rate": rate, "net": whole, "sound": self.sound, "remark": "Written as asked.",
                 "priority": self.styles.randrange(1, 5)}  # fmt: skip
        return {"one": first, "two": [*self._early("second"), self._said("second", second)],
                "three": [*self._early("third"), self._said("third", third)]}  # fmt: skip

    def _early(self, where: str) -> list[Said]:
        found = self.before.get(where)
        return [] if found is None else [found]

    def _said(self, where: str, value: dict[str, Any]) -> Said:
        planted = self.instead.get(where)
        if planted is None:
            return Said(text=json.dumps(value))
        if planted.finish == "length":
            return Said(text=json.dumps(value)[: len(json.dumps(value)) * 2 // 3], finish="length")
        return planted


MODES: Final = {
    "bad_tool_result": ("another record", "history", "page", "own schema"),
    "hallucinated_value": ("first", "second", "third", "argument", "third total"),
    "stale_context": ("changed", "expired"),
    "model_error": ("down", "cut", "refuses", "misshapen", "fallback", "empty"),
    "policy_change": ("step tool", "department", "model"),
    "none": ("well", "too little", "well", "no stock", "denied"),
}


def drawn(kind: str, number: int, seed: int) -> Case:
    rng = random.Random(f"{seed}-{kind}-{number}")
    modes = MODES[kind]
    return Draw(kind, modes[number % len(modes)], number, rng).case()


__all__ = ["KINDS", "MODES", "POLICIES", "Case", "Expected", "drawn"]
