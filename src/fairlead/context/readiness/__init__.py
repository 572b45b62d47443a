"""Is the organisation's context ready for its agents? Two reports, both pure: `inventory` says which decisions agents
make, what they must know for them and where that is; `readiness` how much of it is there for whom, and what to see to
next. Facts are gathered, and reports drawn, by whoever asks."""

from fairlead.context.readiness.facts import Act, Basis, Draft, Facts, Page, People, Rate, Reader, Traffic
from fairlead.context.readiness.inventory import inventory
from fairlead.context.readiness.measure import readiness
from fairlead.context.readiness.shelf import Shelf
from fairlead.context.readiness.types import Inventory, Readiness

__all__ = [
    "Act",
    "Basis",
    "Draft",
    "Facts",
    "Inventory",
    "Page",
    "People",
    "Rate",
    "Reader",
    "Readiness",
    "Shelf",
    "Traffic",
    "inventory",
    "readiness",
]
