"""Third agent: the page that people look at, the contract's words and ours side by side.

Whatever a contract says is shown as text, never as markup."""

from html import escape
from typing import Any

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1d2430;background:#fff}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2rem 0 .6rem}
.decision{display:inline-block;padding:.3rem .8rem;border-radius:1rem;color:#fff;font-weight:600}
.sign{background:#2b7a4b}.owner{background:#a86a00}.counsel{background:#a3262a}
.facts{color:#5a6472;margin:.6rem 0 1rem}
article{border:1px solid #d8dde5;border-left:6px solid #8a94a3;border-radius:6px;margin:0 0 .9rem;padding:.7rem 1rem}
article.minor{border-left-color:#d6a528}article.major{border-left-color:#d2691e}
article.critical{border-left-color:#a3262a}
article h3{margin:0 0 .5rem;font-size:1rem}article h3 span{font-weight:400;color:#5a6472}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
.sides>div{background:#f5f7fa;border-radius:4px;padding:.5rem .7rem}
.side{font-size:.75rem;text-transform:uppercase;letter-spacing:.05em;color:#5a6472}
blockquote{margin:.2rem 0;overflow-wrap:anywhere}
cite{font:12px ui-monospace,monospace;color:#41506a;overflow-wrap:anywhere}
.history{font-size:.9rem;color:#41506a;margin:.5rem 0 0}
@media(max-width:50rem){.sides{grid-template-columns:1fr}}
"""
_DECISIONS = {
    "sign": "May be signed: all that was compared is as preferred",
    "owner": "The owner of the budget decides",
    "counsel": "Legal counsel decides",
}
_STANDINGS = {
    "fallback": "on a fallback",
    "limit": "within the limit",
    "beyond": "beyond the limit",
    "missing": "not found in the contract",
    "contradiction": "says two things",
    "unread": "cannot be read by rules",
}


def page(name: str, result: dict[str, Any], checked: int, answer: dict[str, Any] | None = None) -> str:
    """The report as a page of HTML, whole by itself."""
    decision = result["decision"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(name)}: review</title><style>{_STYLE}</style>",
        f"<h1>{escape(name)}</h1><p><span class='decision {decision}'>{_DECISIONS[decision]}</span></p>",
        f"<p class=facts>{_facts(result, checked)}</p>",
        _answered(answer),
        f"<h2>Deviations ({len(result['deviations'])})</h2>" if result["deviations"] else "",
        *map(_deviation, result["deviations"]),
        f"<h2>For a person to read ({len(result['attention'])})</h2>" if result["attention"] else "",
        *map(_attention, result["attention"]),
        f"<h2>As preferred ({len(result['preferred'])})</h2>",
        *map(_as_preferred, result["preferred"]),
    ]
    return "\n".join(filter(None, parts)) + "\n</html>\n"


def _as_preferred(each: dict[str, Any]) -> str:
    return (
        f"<article><h3>{escape(_name(each['measure']))}</h3><div class=sides><div><div class=side>the contract</div>"
        f"<blockquote>{escape(each['quote'])}</blockquote><cite>{escape(each['place'])}</cite></div>"
        f"<div><div class=side>our terms</div><blockquote>{escape(each['row'])}</blockquote>"
        f"<cite>{escape(each['cite'])}</cite></div></div></article>"
    )


def _facts(result: dict[str, Any], checked: int) -> str:
    value = result["annual_value"]
    said = result["value_in_contract"]
    told = f"annual value {value:,.0f}" if value else "annual value not given"
    said_there = f"; the contract says {said:,.0f}" if said and said != value else ""
    appetite = f"risk appetite: {escape(result['appetite']['row'])} <cite>{escape(result['appetite']['cite'])}</cite>"
    kind = f"{escape(result['type'])} contract, {escape(result['language'] or 'unknown language')}"
    checks = f"{checked} quotes and citations checked"
    return f"{kind}; {told}{said_there}; worst finding: {result['severity']}; {appetite}; {checks}"


def _answered(answer: dict[str, Any] | None) -> str:
    if not answer:
        return ""
    word = "agrees" if answer["approved"] else "does not agree"
    by = escape(", ".join(answer["by"])) or "nobody in time"
    return f"<p><b>{by} {word}.</b> {escape(answer['note'])}</p>"


def _deviation(each: dict[str, Any]) -> str:
    other = "".join(
        f"<blockquote>{escape(one['quote'])}</blockquote><cite>{escape(one['place'])}</cite>" for one in each["beside"]
    )
    theirs = f"<blockquote>{escape(each['quote'])}</blockquote><cite>{escape(each['place'])}</cite>{other}"
    if not each["quote"]:
        theirs = "<blockquote>nothing that a rule reads</blockquote>"
    ours = f"<blockquote>{escape(each['row'])}</blockquote><cite>{escape(each['cite'])}</cite>"
    history = "".join(
        f"<p class=history>{escape(row['date'])}, {escape(row['counterparty'])}: {escape(row['conceded'])}, "
        f"by {escape(row['by'])}, for {escape(row['for what'])} <cite>{escape(row['cite'])}</cite></p>"
        for row in each["history"]
    )
    note = f": {each['why']}" if each["why"] else ""
    return (
        f"<article class={each['severity']}><h3>{escape(_name(each['measure']))} <span>{each['severity']}, "
        f"{_STANDINGS[each['standing']]}{escape(note)}, read by {each['read_by']}</span></h3>"
        f"<div class=sides><div><div class=side>the contract</div>{theirs}</div>"
        f"<div><div class=side>our terms</div>{ours}</div></div>"
        f"<p>{escape(each['suggestion'])}</p>{history}</article>"
    )


def _attention(each: dict[str, Any]) -> str:
    told = {
        "unusual": "no rule reads this",
        "instruction": "this speaks to whoever reviews by machine",
        "language": "not English",
    }
    note = f": {each['why']}" if each.get("why") else ""
    return (
        f"<article class={each['severity']}><h3>{escape(each['place'] or 'the whole contract')} "
        f"<span>{each['severity']}, {told[each['kind']]}{escape(note)}</span></h3>"
        f"<blockquote>{escape(each['text'])}</blockquote></article>"
    )


def _name(measure: str) -> str:
    return measure.replace("_", " ")


def question(name: str, result: dict[str, Any]) -> str:
    """What counsel is asked, in a line: no word of it is the contract's."""
    worst = [_name(each["measure"]) for each in result["deviations"] if each["severity"] == result["severity"]]
    kinds = sorted({each["kind"] for each in result["attention"] if each["severity"] == result["severity"]})
    about = ", ".join([*worst, *kinds]) or "what nobody could compare"
    return f"A contract above the risk appetite: {result['severity']}, because of {about}. Shall it be signed as it is?"
