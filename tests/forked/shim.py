"""Stands for a program that another process forks: `shim.py SOCKET ARGUMENTS`. It hands over its arguments, variables,
folder and streams, passes signals on, and ends as the program does. It imports next to nothing, to be there at once."""

import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> None:
    # Signals wait until there is somebody to pass them on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    with socket.socket(socket.AF_UNIX) as parent:
        parent.connect(sys.argv[1])
        words = [b"fork", os.fsencode(os.getcwd()), str(len(sys.argv) - 2).encode()]
        words += [os.fsencode(each) for each in sys.argv[2:]]
        words += [name + b"=" + value for name, value in os.environb.items()]
        said = b"\0".join(words)
        socket.send_fds(parent, [len(said).to_bytes(4, "big")], [0, 1, 2])
        parent.sendall(said)
        pid = int(parent.recv(8, socket.MSG_WAITALL))
        for number in PASSED_ON:
            signal.signal(number, lambda number, frame: os.kill(pid, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        # Whoever reads what the program says must not wait for this process to close it as well.
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        status = os.waitstatus_to_exitcode(int(parent.recv(8, socket.MSG_WAITALL) or b"256"))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


main()
