"""Who may read which page: decided once for all callers and pages that the policies cannot tell apart."""

from collections.abc import Callable, Hashable
from typing import cast

from fairlead.identity.types import Caller
from fairlead.labels import Access
from fairlead.policy import cedar_request as cedar
from fairlead.policy.judge import Judge
from fairlead.policy.keys import Remembered, access_key, caller_key
from fairlead.policy.types import Decision
from fairlead.policy.ways import to_read

_NONE: frozenset[str] = frozenset()


class Reading:
    """What the policies of one revision say of reading, remembered. Pure, as they are."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._meets = judge.reads.meets
        self._caller_key = caller_key(judge.reads)
        self._alike_key = caller_key(judge.reads, meeting=False)
        self._access_key = access_key(judge.reads)
        self._tables = Remembered()  # by caller
        self._decided = Remembered()

    def may_read(self, caller: Caller) -> Callable[[Access], bool]:
        """Whether this caller may read an item."""
        place = self._caller_key(caller)
        table = cast("Remembered | None", self._tables.get(place))
        if table is None:
            table = Remembered()
            self._tables.keep(place, table)
        key_of, known_to = self._access_key, table.get

        def may(access: Access) -> bool:
            key = key_of(access)
            known = known_to(key)
            if known is None:
                known = self._known(caller, access, key)
                table.keep(key, known)
            return bool(known)

        return may

    def _known(self, caller: Caller, access: Access, item: Hashable) -> bool:
        """Of who a caller is, often only that matters which the item's audience means."""
        meant = access.audience.intersection(cedar.known_as(caller)) if self._meets else _NONE
        key = (self._alike_key(caller), meant, item)
        known = self._decided.get(key)
        if known is None:
            known = self.decision(caller, access).allowed
            self._decided.keep(key, known)
        return bool(known)

    def decision(self, caller: Caller, access: Access) -> Decision:
        """Afresh, with the policies that decided."""
        return self._judge.decide([to_read(cedar.person(caller), cedar.item(access))], _NONE)[0]
