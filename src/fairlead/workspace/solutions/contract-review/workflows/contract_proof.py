"""The check of every hand-off: each quote must stand in the contract, each citation on a page that was read."""

from typing import Any


def proven(result: dict[str, Any], text: str, pages: list[dict[str, Any]]) -> dict[str, Any]:
    """How many quotes and citations were looked up, and those that are not where they should be."""
    words = _plain(text)
    sections = {each["cite"]: _plain(each["text"]) for page in pages for each in page["sections"]}
    checked, wrong = 0, list[str]()
    for each in result["deviations"]:
        for quote in (each["quote"], *(other["quote"] for other in each["beside"])):
            if quote or each["standing"] != "missing":
                checked += 1
                if not quote or _plain(quote) not in words:
                    wrong.append(f"{each['measure']}: the contract does not say {quote[:80]!r}")
        for row in (each, *each["history"]):
            checked += 1
            if _plain(row["row"]) not in sections.get(row["cite"], ""):
                wrong.append(f"{each['measure']}: {row['cite']} does not say {row['row'][:80]!r}")
    for each in result["preferred"]:
        checked += 2
        if _plain(each["quote"]) not in words or _plain(each["row"]) not in sections.get(each["cite"], ""):
            wrong.append(f"{each['measure']}: one of its two citations is not where it should be")
    return {"checked": checked, "wrong": wrong, "proven": not wrong}


def _plain(text: str) -> str:
    return " ".join(text.split())
