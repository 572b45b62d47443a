"""The detectors that come with Fairlead, and what their categories imply.

Patterns follow the public descriptions of the formats; what a pattern cannot tell, a check does. Add one by adding a
line to the module of its subject: its name, its category, what it finds, the pattern, the check, and a hint where the
pattern counts far or begins with anything.
"""

from typing import Final

from fairlead.labels import DataClass
from fairlead.policy.detectors import contact, credentials, money, national, tokens
from fairlead.policy.detectors.entry import Entry

ENTRIES: Final[tuple[Entry, ...]] = (
    *money.ENTRIES,
    *contact.ENTRIES,
    *national.ENTRIES,
    *credentials.ENTRIES,
    *tokens.ENTRIES,
)

CLASSES: Final[dict[str, DataClass]] = {
    "secret": DataClass.restricted,
    "payment_card": DataClass.confidential,
    "national_id": DataClass.confidential,
    "iban": DataClass.confidential,
    "bank_account": DataClass.confidential,
    "date_of_birth": DataClass.confidential,
    "crypto_address": DataClass.internal,
    "person_name": DataClass.internal,
    "guessed_name": DataClass.internal,
    "email": DataClass.internal,
    "phone": DataClass.internal,
    "ip_address": DataClass.internal,
    "mac_address": DataClass.internal,
    "url": DataClass.public,
    "injection_suspected": DataClass.public,
}
"""The data class that a text with a category has at least. A category that is not here counts as internal."""
