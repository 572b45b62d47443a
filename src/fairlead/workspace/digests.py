"""What owners are told of requests: by webhook in ids and figures, by mail in words. Pure."""

from datetime import UTC, datetime

from fairlead.context.upkeep.settings import UpkeepSettings
from fairlead.context.upkeep.telling import Digest
from fairlead.net.mail import Mail


def address_of(owner: str, settings: UpkeepSettings) -> str:
    """Where mail for an owner goes: as settings say, or the name itself where it is one; else to who leads."""
    for name in (owner, settings.lead):
        known = settings.owners.get(name)
        if known is not None and known.mail:
            return known.mail
        if "@" in name and "|" not in name and " " not in name:
            return name
    return ""


def told_of(digest: Digest, now: int) -> dict[str, object]:
    """What the webhook is told: ids, names of pages and owners, and figures; no texts and no titles."""
    rows = [
        {
            "request": row.id,
            "kind": row.kind,
            "item": row.item,
            "need": row.need,
            "task": row.task,
            "times": row.times,
            "due_at": row.due_at if digest.late else now + row.due,
        }
        for row in digest.rows
    ]
    data = {"owner": digest.owner, "to": digest.to, "requests": rows}
    return {"type": f"context.requests_{'late' if digest.late else 'due'}", "timestamp": now, "data": data}


def mail_of(digest: Digest, address: str, now: int) -> Mail:
    """The digest in words."""
    count = len(digest.rows)
    subject = f"{count} page{'s' if count > 1 else ''} of the company's knowledge need{'' if count > 1 else 's'} you"
    first = (
        f"{digest.owner or 'Nobody'} was asked, and the time is over. You are told as the one above them."
        if digest.late
        else "Answers rest on these pages. In the order of what matters most:"
    )
    lines = [first, ""]
    for number, row in enumerate(digest.rows, 1):
        until = datetime.fromtimestamp((row.due_at if digest.late else now + row.due) / 1000, UTC).date().isoformat()
        about = row.item or row.need
        said = [f"   {row.words}"] if row.words else []
        lines += [f"{number}. {row.kind}: {about}", *said, f"   until {until}, {row.id}"]
    lines += [
        "",
        "When it is seen to: fairlead context requests done ID",
        "All of yours: fairlead context requests --mine NAME",
    ]
    return Mail(id="", to=address, subject=subject, text="\n".join(lines), at=now)
