"""ClickHouse embedded in a process: `python -m deploy.localstack.chdb_main LIBRARY CONFIG PATH TCP HTTP`.

The library's command line is `clickhouse local`. It starts the listeners and then reads a fifo, so it serves
until somebody writes there: this process does when it is asked to end (SIGTERM, SIGINT).
"""

import ctypes
import os
import signal
import sys
import threading
from pathlib import Path

SERVE = (
    "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;"
    "SELECT * FROM file('{fifo}', 'LineAsString', 's String') FORMAT Null"
)


def main(library: str, config: str, path: str, tcp_port: str, http_port: str) -> int:
    """Serve until a signal, then end in order; the exit code is 1 when the engine ended by itself."""
    # Blocked before the engine makes its threads, so that all of them leave these signals to sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1})
    fifo = Path(path, "stop.fifo").absolute()
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    arguments = ["clickhouse", "--config-file", config, "--path", path, "--listen_host", "127.0.0.1"]
    arguments += ["--tcp_port", tcp_port, "--http_port", http_port, "--query", SERVE.format(fifo=fifo)]
    engine = threading.Thread(target=_run, args=(library, arguments), daemon=True)
    engine.start()
    if signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGUSR1}) == signal.SIGUSR1:
        return 1
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return 0  # not serving yet: nothing to end in order
    engine.join(20)
    return 0


def _run(library: str, arguments: list[str]) -> None:
    argv = (ctypes.c_char_p * len(arguments))(*(argument.encode() for argument in arguments))
    ctypes.CDLL(library).chdb_query_cmdline(len(arguments), argv)
    os.kill(os.getpid(), signal.SIGUSR1)


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # the engine's own atexit handlers may wait for ever
