"""An error in one line, for clients that show their users its message and nothing else."""

from fairlead.errors import FairleadError


def said(error: FairleadError) -> str:
    """What failed, and why, where that is known. The reason stands by itself in the reply as well."""
    return f"{error.message}: {error.why}" if error.why else error.message
