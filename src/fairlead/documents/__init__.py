"""Documents that come in from outside, read where they lie: words with their places, and the fields of invoices.

Nothing here asks a model, a database or the network.
"""

from fairlead.documents import agreement
from fairlead.documents.invoice import REQUIRED, Invoice
from fairlead.documents.reading import read_invoice
from fairlead.documents.types import Field, Unread

__all__ = ["REQUIRED", "Field", "Invoice", "Unread", "agreement", "read_invoice"]
