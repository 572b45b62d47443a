"""The tools of an airline over its database. They do what they are told: which of it is allowed, policies say."""

import json
import re
import sqlite3
from contextlib import closing
from typing import Annotated, Any, Literal

import msgspec

from fairlead.tools.person import ToolError

DATABASE = "airline.db"  # where it lies is filled in by who makes the workspace
NOW = "2024-05-15T15:00:00"
READS = {
    "get_user_details", "get_reservation_details", "list_all_airports", "search_direct_flight",
    "search_onestop_flight", "calculate", "think", "transfer_to_human_agents", "bag_allowance", "means_of_payment",
    "reservation_facts", "compare_flights", "gestures",
}  # fmt: skip
Cabin = Literal["basic_economy", "economy", "business"]
Trip = Literal["one_way", "round_trip"]
CITIES = {
    "SFO": "San Francisco", "JFK": "New York", "LAX": "Los Angeles", "ORD": "Chicago", "DFW": "Dallas",
    "DEN": "Denver", "SEA": "Seattle", "ATL": "Atlanta", "MIA": "Miami", "BOS": "Boston", "PHX": "Phoenix",
    "IAH": "Houston", "LAS": "Las Vegas", "MCO": "Orlando", "EWR": "Newark", "CLT": "Charlotte",
    "MSP": "Minneapolis", "DTW": "Detroit", "PHL": "Philadelphia", "LGA": "LaGuardia",
}  # fmt: skip
FREE_BAGS = {"regular": (0, 1, 2), "silver": (1, 2, 3), "gold": (2, 3, 3)}
CABINS = ("basic_economy", "economy", "business")


class Segment(msgspec.Struct):
    """A flight on a day. What else is said of it is looked up."""

    flight_number: str
    date: str


class Passenger(msgspec.Struct):
    """Who flies."""

    first_name: str
    last_name: str
    dob: str


class Payment(msgspec.Struct):
    """What is paid by which means of the profile."""

    payment_id: str
    amount: float


# ---- the database -------------------------------------------------------------------------------------------------


def _open() -> Any:
    return closing(sqlite3.connect(DATABASE))


def _one(db: sqlite3.Connection, table: Literal["user", "reservation", "flight"], key: str) -> dict[str, Any]:
    row = db.execute(f"SELECT data FROM {table} WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise ToolError(f"Error: {table} not found")
    found: dict[str, Any] = json.loads(row[0])
    return found


def _keep(db: sqlite3.Connection, table: Literal["user", "reservation"], key: str, data: dict[str, Any]) -> None:
    db.execute(f"INSERT OR REPLACE INTO {table} (id, data) VALUES (?, ?)", (key, json.dumps(data)))
    db.commit()


def _day(db: sqlite3.Connection, number: str, date: str) -> dict[str, Any]:
    row = db.execute("SELECT data FROM day WHERE flight = ? AND date = ?", (number, date)).fetchone()
    return json.loads(row[0]) if row else {}


# ---- what people ask for ------------------------------------------------------------------------------------------


def get_user_details(user_id: str) -> dict[str, Any]:
    """The profile of a user."""
    with _open() as db:
        return _one(db, "user", user_id)


def get_reservation_details(reservation_id: str) -> dict[str, Any]:
    """A reservation."""
    with _open() as db:
        return _one(db, "reservation", reservation_id)


def list_all_airports() -> dict[str, str]:
    """Airports and their cities."""
    return CITIES


def search_direct_flight(origin: str, destination: str, date: str) -> list[dict[str, Any]]:
    """Flights without a stop that can be booked."""
    with _open() as db:
        return _flights(db, origin, destination, date)


def search_onestop_flight(origin: str, destination: str, date: str) -> list[list[dict[str, Any]]]:
    """Pairs of flights by way of another airport."""
    with _open() as db:
        found = []
        for first in _flights(db, origin, None, date):
            arrives = first["scheduled_arrival_time_est"]
            then = f"2024-05-{int(date[-2:]) + 1:02}" if "+1" in arrives else date
            for second in _flights(db, first["destination"], destination, then):
                if then > date or second["scheduled_departure_time_est"] >= arrives:
                    found.append([{**first, "date": date}, {**second, "date": then}])
        return found


def _flights(db: sqlite3.Connection, origin: str, destination: str | None, date: str) -> list[dict[str, Any]]:
    query = "SELECT f.data, d.data FROM flight f JOIN day d ON d.flight = f.id AND d.date = ? WHERE f.origin = ?"
    found = []
    for flight, day in db.execute(f"{query} ORDER BY f.rowid", (date, origin)):
        known = {**json.loads(flight), **json.loads(day)}
        if known["status"] == "available" and destination in (None, known["destination"]):
            found.append(known)
    return found


def calculate(expression: str) -> str:
    """The value of a sum."""
    if not re.fullmatch(r"[0-9+\-*/(). ]{1,500}", expression) or "**" in expression:
        raise ToolError("Error: invalid characters in expression")
    try:
        return str(round(float(eval(expression, {"__builtins__": {}})), 2))
    except (SyntaxError, ArithmeticError, TypeError) as error:
        raise ToolError(f"Error: {error}") from None


def think(thought: str) -> str:
    """Nothing: a place to think."""
    return ""


def transfer_to_human_agents(summary: str) -> str:
    """Hand the user over."""
    return "Transfer successful"


# ---- what changes something ---------------------------------------------------------------------------------------


def book_reservation(
    user_id: str,
    origin: str,
    destination: str,
    flight_type: Trip,
    cabin: Cabin,
    flights: list[Segment],
    passengers: list[Passenger],
    payment_methods: list[Payment],
    total_baggages: int,
    nonfree_baggages: int,
    insurance: Literal["yes", "no"],
) -> dict[str, Any]:
    """Book flights for a user."""
    with _open() as db:
        user = _one(db, "user", user_id)
        flown, price = _priced(db, flights, cabin, len(passengers), [], cabin)
        price += 50 * nonfree_baggages + (30 * len(passengers) if insurance == "yes" else 0)
        _charge(user, payment_methods, price)
        (made_before,) = db.execute("SELECT COUNT(*) FROM reservation WHERE id LIKE 'HATHA_'").fetchone()
        key = "HATHA" + "TUVWXYZ"[made_before % 7]
        made = {
            "reservation_id": key, "user_id": user_id, "origin": origin, "destination": destination,
            "flight_type": flight_type, "cabin": cabin, "flights": flown,
            "passengers": msgspec.to_builtins(passengers), "payment_history": msgspec.to_builtins(payment_methods),
            "created_at": NOW, "total_baggages": total_baggages, "nonfree_baggages": nonfree_baggages,
            "insurance": insurance,
        }  # fmt: skip
        user["reservations"].append(key)
        _keep(db, "user", user_id, user)
        _keep(db, "reservation", key, made)
        return made


def update_reservation_flights(
    reservation_id: str, cabin: Cabin, flights: list[Segment], payment_id: str
) -> dict[str, Any]:
    """Give a reservation these flights (all of them, also those that stay) in this cabin."""
    with _open() as db:
        held = _one(db, "reservation", reservation_id)
        user = _one(db, "user", held["user_id"])
        flown, price = _priced(db, flights, cabin, len(held["passengers"]), held["flights"], held["cabin"])
        price -= sum(each["price"] for each in held["flights"]) * len(held["passengers"])
        _settle(user, held, payment_id, price)
        # The recorded airline left the cabin as it was; the policy speaks of the cabin that was asked for.
        held |= {"flights": flown, "cabin": cabin}
        _keep(db, "user", held["user_id"], user)
        _keep(db, "reservation", reservation_id, held)
        return held


def update_reservation_baggages(
    reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str
) -> dict[str, Any]:
    """Change how many bags are checked, and how many of them are paid for."""
    with _open() as db:
        held = _one(db, "reservation", reservation_id)
        user = _one(db, "user", held["user_id"])
        _settle(user, held, payment_id, 50 * max(0, nonfree_baggages - held["nonfree_baggages"]))
        held |= {"total_baggages": total_baggages, "nonfree_baggages": nonfree_baggages}
        _keep(db, "user", held["user_id"], user)
        _keep(db, "reservation", reservation_id, held)
        return held


def update_reservation_passengers(reservation_id: str, passengers: list[Passenger]) -> dict[str, Any]:
    """Change who flies."""
    with _open() as db:
        held = _one(db, "reservation", reservation_id)
        if len(passengers) != len(held["passengers"]):
            raise ToolError("Error: number of passengers does not match")
        held["passengers"] = msgspec.to_builtins(passengers)
        _keep(db, "reservation", reservation_id, held)
        return held


def cancel_reservation(reservation_id: str) -> dict[str, Any]:
    """Cancel the whole trip, and refund it as it was paid."""
    with _open() as db:
        held = _one(db, "reservation", reservation_id)
        paid = held["payment_history"]
        held["payment_history"] = paid + [{**each, "amount": -each["amount"]} for each in paid]
        held["status"] = "cancelled"
        _keep(db, "reservation", reservation_id, held)
        return held


def send_certificate(user_id: str, amount: int) -> str:
    """Give a user a certificate for travelling."""
    with _open() as db:
        user = _one(db, "user", user_id)
        free = (key for key in ("certificate_3221322", "certificate_3221323", "certificate_3221324"))
        key = next((each for each in free if each not in user["payment_methods"]), None)
        if key is None:
            raise ToolError("Error: too many certificates")
        user["payment_methods"][key] = {"source": "certificate", "amount": amount, "id": key}
        _keep(db, "user", user_id, user)
        return f"Certificate {key} added to user {user_id} with amount {amount}."


def _priced(
    db: sqlite3.Connection, flights: list[Segment], cabin: str, people: int, held: list[dict[str, Any]], was: str
) -> tuple[list[dict[str, Any]], int]:
    """The segments with their prices, and what they cost together. Those that stay keep their price."""
    known = {(each["flight_number"], each["date"]): each for each in held} if cabin == was else {}
    found = []
    for each in flights:
        flight = _one(db, "flight", each.flight_number)
        day = _day(db, each.flight_number, each.date)
        stays = known.get((each.flight_number, each.date))
        if stays is None and day.get("status") != "available":
            raise ToolError(f"Error: flight {each.flight_number} not available on date {each.date}")
        if stays is None and day["available_seats"][cabin] < people:
            raise ToolError(f"Error: not enough seats on flight {each.flight_number}")
        price = stays["price"] if stays else day["prices"][cabin]
        ends = {"origin": flight["origin"], "destination": flight["destination"]}
        found.append({"flight_number": each.flight_number, "date": each.date, "price": price, **ends})
    return found, sum(each["price"] for each in found) * people


def _charge(user: dict[str, Any], payments: list[Payment], price: int) -> None:
    methods = user["payment_methods"]
    for each in payments:
        if each.payment_id not in methods:
            raise ToolError(f"Error: payment method {each.payment_id} not found")
        if methods[each.payment_id].get("amount", each.amount) < each.amount:
            raise ToolError(f"Error: not enough balance in payment method {each.payment_id}")
    if (paid := sum(each.amount for each in payments)) != price:
        raise ToolError(f"Error: payment amount does not add up, total price is {price}, but paid {paid:g}")
    for each in payments:
        if methods[each.payment_id]["source"] == "gift_card":
            methods[each.payment_id]["amount"] -= each.amount
        elif methods[each.payment_id]["source"] == "certificate":
            del methods[each.payment_id]


def _settle(user: dict[str, Any], held: dict[str, Any], payment_id: str, price: int) -> None:
    means = user["payment_methods"].get(payment_id)
    if means is None:
        raise ToolError("Error: payment method not found")
    if means["source"] == "certificate":
        raise ToolError("Error: certificate cannot be used to update reservation")
    if means["source"] == "gift_card":
        if means["amount"] < price:
            raise ToolError("Error: gift card balance is not enough")
        means["amount"] -= price
    if price:
        held["payment_history"].append({"payment_id": payment_id, "amount": price})


# ---- what decisions need to know ----------------------------------------------------------------------------------


def bag_allowance(user_id: str, cabin: Cabin) -> int:
    """How many bags each passenger may check without paying."""
    with _open() as db:
        return FREE_BAGS[_one(db, "user", user_id)["membership"]][CABINS.index(cabin)]


def means_of_payment(user_id: str, payment_methods: list[Payment]) -> dict[str, int]:
    """How many means of each kind these are, and how many are not in the profile."""
    with _open() as db:
        known = _one(db, "user", user_id)["payment_methods"]
    given = {each.payment_id for each in payment_methods}
    kinds = [known[each]["source"] if each in known else "unknown" for each in given]
    return {kind: kinds.count(kind) for kind in ("certificate", "credit_card", "gift_card", "unknown")}


def reservation_facts(
    reservation_id: str, payment_id: Annotated[str, "a means of payment of whom the reservation is"] = ""
) -> dict[str, Any]:
    """What a reservation is, as rules speak of it."""
    with _open() as db:
        held = _one(db, "reservation", reservation_id)
        user = _one(db, "user", held["user_id"])
        states = {_day(db, each["flight_number"], each["date"]).get("status") for each in held["flights"]}
        (age,) = db.execute("SELECT unixepoch(?) - unixepoch(?)", (NOW, held["created_at"])).fetchone()
    return {
        "cabin": held["cabin"],
        "minutes_old": age // 60,
        "insured": held["insurance"] == "yes",
        "passengers": len(held["passengers"]),
        "bags": held["total_baggages"],
        "free_bags": FREE_BAGS[user["membership"]][CABINS.index(held["cabin"])] * len(held["passengers"]),
        "begun": bool(states & {"landed", "flying"}),
        "cancelled_by_airline": "cancelled" in states,
        "payment": user["payment_methods"].get(payment_id, {"source": "unknown"})["source"],
    }


def compare_flights(
    flights: list[Segment],
    reservation_id: str = "",
    origin: str = "",
    destination: str = "",
    flight_type: Trip = "one_way",
) -> dict[str, Any]:
    """How flights differ from those of a reservation, and whether they lead where it (or else the rest) says."""
    with _open() as db:
        held = _one(db, "reservation", reservation_id) if reservation_id else {}
        has = [(each["flight_number"], each["date"]) for each in held.get("flights", ())]
        now = [(each.flight_number, each.date) for each in flights]
        legs = [_one(db, "flight", number) for number, _ in now]
        new = [_day(db, *each).get("status") for each in now if each not in has]
    origin, destination = held.get("origin", origin), held.get("destination", destination)
    back = held.get("flight_type", flight_type) == "round_trip"
    starts, ends = (legs[0]["origin"], legs[-1]["destination"]) if legs else ("", "")
    return {
        "changed": now != has,
        "not_open": sum(status != "available" for status in new),
        "leads_there": starts == origin
        and ends == (origin if back else destination)
        and any(each["destination"] == destination for each in legs),
    }


def gestures(user_id: str) -> list[int]:
    """The amounts of certificates that disturbed reservations of a user justify."""
    with _open() as db:
        user = _one(db, "user", user_id)
        found = set()
        for held in (_one(db, "reservation", each) for each in user["reservations"]):
            states = {_day(db, each["flight_number"], each["date"]).get("status") for each in held["flights"]}
            if user["membership"] != "regular" or held["insurance"] == "yes" or held["cabin"] == "business":
                found |= {100 * len(held["passengers"])} if "cancelled" in states else set()
                found |= {50 * len(held["passengers"])} if "delayed" in states else set()
    return sorted(found)
