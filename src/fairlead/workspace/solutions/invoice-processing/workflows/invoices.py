"""What must hold before an invoice is posted, as rules of the house. Change them here; the workflow stays as it is."""

import base64 as coded
from typing import Any

from fairlead.documents import Unread, agreement, read_invoice

HOUSE: tuple[str, ...] = ()
"""Your own names as invoices have them. They are never taken for the supplier."""
TOLERANCE = 0.01  # of the currency: what an invoice may differ from its order
NEVER_ACCEPTED = ("duplicate", "supplier", "missing", "unread")
"""Problems that nobody can wave through: they are mended, or the invoice is denied."""
OF_ORDER = ("order", "currency", "total")
"""Problems that are about the order as it was when somebody looked."""

Fields = dict[str, Any]
Row = dict[str, Any]
_POSTED = ("supplier", "number", "date", "currency", "total")
_TEXTS = ("supplier", "vat", "iban", "number", "date", "order", "currency")


def read(base64: str) -> dict[str, Any]:
    """The fields of a PDF file with their places. Where it cannot be read, `unread` says why."""
    try:
        document = coded.b64decode(base64, validate=True)
    except ValueError:
        return {"fields": {}, "text": "", "unread": "The document did not arrive whole."}
    found = read_invoice(document, HOUSE)
    if isinstance(found, Unread):
        return {
            "fields": {},
            "text": "",
            "unread": f"The document cannot be read: {found.why}. {found.mend[0].upper()}{found.mend[1:]}.",
        }
    return {"fields": agreement.plain(found.fields), "text": found.text, "unread": ""}


def agreed(read: dict[str, Any], asked: list[dict[str, str]]) -> dict[str, Any]:
    """What was read, held against what a model says, if one was asked: values, their places, and doubts by field."""
    fields = agreement.agreed(read["fields"], read["text"], asked)
    doubts = [{"field": name, "said": each["doubt"]} for name, each in fields.items() if each["doubt"]]
    if read["unread"]:
        doubts.append({"field": "unread", "said": read["unread"]})
    return {"fields": {name: each["value"] for name, each in fields.items()}, "doubts": doubts, "places": fields}


def named(fields: Fields) -> dict[str, str]:
    """The texts of the fields, "" where one is not there."""
    return {name: _said(fields, name) for name in _TEXTS}


def chosen(fields: Fields, suppliers: list[Row]) -> str:
    """The supplier's own id: the one with the VAT number, else the only one of that name; "" where that is not
    clear."""
    vat = _said(fields, "vat")
    if vat and (found := [each for each in suppliers if _same(each["vat"], vat)]):
        return str(found[0]["id"]) if len(found) == 1 else ""
    found = [each for each in suppliers if _same(each["name"], _said(fields, "supplier"))]
    return str(found[0]["id"]) if len(found) == 1 else ""


def compared(
    fields: Fields,
    doubts: list[dict[str, str]],
    suppliers: list[Row],
    orders: list[Row],
    posted: list[Row],
    accepted: list[str],
) -> dict[str, Any]:
    """The problems that nobody has accepted, and what would be posted. A problem is its code and what is wrong, in
    words."""
    supplier = chosen(fields, suppliers)
    master = next((each for each in suppliers if str(each["id"]) == supplier), None)
    order = _order(fields, supplier, orders)
    problems = _of_reading(fields, doubts, master, order)
    if [code for code, _ in problems] != ["unread"]:
        problems += _of_supplier(fields, master)
        problems += _of_order(fields, supplier, order) if master else []
        problems += _of_sums(fields) if "read total" in accepted else []
        problems += _of_posted(fields, posted)
    left = [{"code": code, "said": said} for code, said in problems if code not in accepted]
    posting = {
        "supplier": supplier,
        "number": _said(fields, "number"),
        "order_number": str(order["number"]) if order else "",
        "date": _said(fields, "date"),
        "currency": _said(fields, "currency"),
        "total": float(fields.get("total") or 0),
        "billed_before": float(order["invoiced"]) if order else 0.0,
    }
    question = " ".join(each["said"] for each in left)
    return {"fields": fields, "accepted": accepted, "problems": left, "question": question, "posting": posting}


def settled(matched: dict[str, Any], answer: dict[str, Any], corrected: dict[str, Any]) -> dict[str, Any]:
    """What goes on after a person has looked: corrected fields are compared again, accepted problems are not told
    again.

    What was corrected stands in `corrected`: an example of what reading got wrong.
    """
    new = {name: value for name, value in answer.items() if name != "accept"}
    codes = [each["code"] for each in matched["problems"]]
    may = [code for code in codes if code not in NEVER_ACCEPTED] if answer.get("accept") else []
    left = [code for code in codes if code not in may]
    accepted = [*matched["accepted"], *may]
    if new:  # who accepts a problem accepts what was shown, not what other fields make of it
        accepted = [code for code in accepted if code.startswith("read ")]
    return {
        "fields": {**matched["fields"], **new},
        "accepted": [*accepted, *(f"read {name}" for name in new)],
        "corrected": {**corrected, **new},
        "posting": matched["posting"],
        "ready": not left and not new,
    }


def ended(now: dict[str, Any], posted: list[Row]) -> dict[str, Any]:
    """What `settled` gave, and whether the invoice is posted. Where its order was billed in between it is not: it is
    compared anew then, and what somebody accepted of the order before counts no more."""
    if posted or not now["ready"]:
        return {**now, "posted": bool(posted)}
    accepted = [code for code in now["accepted"] if code not in OF_ORDER]
    return {**now, "accepted": accepted, "posted": False}


def _of_reading(
    fields: Fields, doubts: list[dict[str, str]], master: Row | None, order: Row | None
) -> list[tuple[str, str]]:
    """What is missing or not sure. A supplier that was found by VAT number, and a total that is just what was
    ordered, are."""
    unread = [each["said"] for each in doubts if each["field"] == "unread"]
    if unread and not any(fields.get(name) for name in _POSTED):
        return [("unread", unread[0])]
    missing = [name for name in _POSTED if not fields.get(name)]
    sure = set()
    if master is not None and _same(master["vat"], _said(fields, "vat")):
        sure |= {"supplier", "vat"}
    if order is not None and _is_all_of(order, fields) and _same(str(order["number"]), _said(fields, "order")):
        sure |= {"total", "order"}
    doubted = [
        each for each in doubts if each["field"] in (*_POSTED, "iban") and each["field"] not in (*sure, *missing)
    ]
    return [
        *(("missing", f"The {name} could not be read.") for name in missing),
        *((f"read {each['field']}", f"The {each['field']} is not sure: {each['said']}.") for each in doubted),
    ]


def _is_all_of(order: Row, fields: Fields) -> bool:
    left = float(order["total"]) - float(order["invoiced"])
    return abs(left - float(fields.get("total") or 0)) <= TOLERANCE and order["currency"] == fields.get("currency")


def _of_supplier(fields: Fields, master: Row | None) -> list[tuple[str, str]]:
    if master is None:
        return [
            (
                "supplier",
                f"There is no supplier {_said(fields, 'supplier')!r} that is certain: fill in its name as we have it.",
            )
        ]
    iban = _said(fields, "iban")
    if iban and master["iban"] and not _same(iban, master["iban"]):
        return [
            (
                "iban",
                f"The invoice wants to be paid to {iban}, and we know {master['iban']} of {master['name']}. Call "
                "them at a number that you know before anything is paid.",
            )
        ]
    return []


def _of_order(fields: Fields, supplier: str, order: Row | None) -> list[tuple[str, str]]:
    total, currency = float(fields.get("total") or 0), _said(fields, "currency")
    if order is None:
        return [
            (
                "order",
                f"There is no open order for {total:.2f} {currency}: fill in the order's number, or accept it without.",
            )
        ]
    problems = []
    if str(order["supplier"]) != supplier:
        problems.append(("order", f"Order {order['number']} is another supplier's."))
    if order["currency"] != currency:
        problems.append(("currency", f"Order {order['number']} is in {order['currency']}, the invoice in {currency}."))
    left = round(float(order["total"]) - float(order["invoiced"]), 2)
    of = f"{order['currency']} of order {order['number']}"
    if total > left + TOLERANCE:
        problems.append(
            (
                "total",
                f"The invoice is of {total:.2f}, and {left:.2f} {of} are left.",
            )
        )
    return problems


def _of_sums(fields: Fields) -> list[tuple[str, str]]:
    """Whether a total that a person has filled in is what the net amount and the tax come to."""
    net, tax, total = (float(fields.get(name) or 0) for name in ("net", "tax", "total"))
    if not net or abs(net + tax - total) <= TOLERANCE:
        return []
    return [("sums", f"Net {net:.2f} and tax {tax:.2f} come to {net + tax:.2f}, and the total is {total:.2f}.")]


def _of_posted(fields: Fields, posted: list[Row]) -> list[tuple[str, str]]:
    if not posted:
        return []
    return [
        (
            "duplicate",
            f"Invoice {_said(fields, 'number')} of this supplier was posted before. Deny this one if it is the same.",
        )
    ]


def _order(fields: Fields, supplier: str, orders: list[Row]) -> Row | None:
    """The order that the invoice names, else the only one of the supplier's that is open for this very amount."""
    wanted = _said(fields, "order")
    if wanted:
        return next((each for each in orders if _same(str(each["number"]), wanted)), None)
    total, currency = float(fields.get("total") or 0), _said(fields, "currency")
    fits = [
        each
        for each in orders
        if str(each["supplier"]) == supplier and each["currency"] == currency
        if abs(float(each["total"]) - float(each["invoiced"]) - total) <= TOLERANCE
    ]
    return fits[0] if len(fits) == 1 else None


def _said(fields: Fields, name: str) -> str:
    return str(fields.get(name) or "").strip()


def _same(one: Any, other: str) -> bool:
    return _bare(str(one or "")) == _bare(other) != ""


def _bare(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
