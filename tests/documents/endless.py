"""A program that answers, or takes more memory than it may."""

from fairlead.documents.bounded import answer_all


def main() -> None:
    answer_all(lambda message: b"said" if message == b"say" else bytes(2 << 30))
