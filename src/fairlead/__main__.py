"""`fairlead`, and `python -m fairlead`: ends quietly at Ctrl-C from the first moment on, while imports run too."""

import os
import signal
import sys

_INTERRUPTED = 130  # as shells report a program that Ctrl-C has ended


def main() -> None:
    """Entry point of the `fairlead` command. Before it begins to work there is nothing to clean up, and no import to
    finish."""
    listens = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if listens:
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    from fairlead.cli.main import main as command

    try:
        if listens:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        command()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
