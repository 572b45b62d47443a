"""Documents that come in from outside, read where they lie: words with their places, and the fields of invoices.

Nothing here asks a model, a database or the network.
"""

from fairlead.documents import agreement
from fairlead.documents.invoice import Invoice
from fairlead.documents.reading import read_invoice
from fairlead.documents.types import Unread

__all__ = ["Invoice", "Unread", "agreement", "read_invoice"]
