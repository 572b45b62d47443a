"""The one error of this package, so that it needs nothing of the rest of Fairlead."""


class Malformed(ValueError):
    """A checkpoint, a proof, a key or a log's name is not what it must be, or a signature is false."""

    def __init__(self, message: str, *, why: str = "", mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.mend = mend
