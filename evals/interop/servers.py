"""Starts what is measured: a real model server, and Fairlead before it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# Every server knows the model by this name: for one it is an alias, for another a folder below the one it starts in.
MODEL = "tiny"
NAMES = ("llama-server", "transformers", "llama-cpp-python")
# And the same model, asked for vectors.
VECTORS = "vectors"
# Those that call a tool because they are told to. What the others leave undone is not asked of them.
FORCES_TOOLS = ("llama-server",)
_START_S = 180.0


@dataclass(frozen=True)
class Upstream:
    """A server to start, by its command, with what must be in its environment."""

    name: str
    command: list[str]
    folder: Path
    environment: Mapping[str, str]


def upstream(name: str, cache: Path, port: int) -> Upstream:
    """One of `NAMES`, as `tools/interop.sh` installed it."""
    gguf, at = str(cache / "model" / "tiny.gguf"), ["--host", "127.0.0.1", "--port", str(port)]
    if name == "llama-server":
        command = [str(cache / "llama.cpp" / "build" / "bin" / "llama-server"), "-m", gguf, "--alias", MODEL, *at]
        command += ["-c", "4096", "-np", "2", "--jinja", "--embeddings", "--pooling", "mean"]
        return Upstream(name, command, cache, {})
    if name == "llama-cpp-python":
        command = [str(cache / "llama-cpp-python" / "bin" / "python"), "-m", "llama_cpp.server", "--model", gguf]
        command += ["--model_alias", MODEL, "--n_ctx", "2048", *at]
        return Upstream(name, command, cache, {})
    served = cache / "served"
    served.mkdir(exist_ok=True)
    for alias in (MODEL, "test", "gpt-3.5-turbo-instruct", "gpt-4.1"):
        with contextlib.suppress(FileExistsError):
            (served / alias).symlink_to(cache / "model" / "hf")
    command = [str(cache / "transformers" / "bin" / "transformers"), "serve", "--device", "cpu", *at]
    return Upstream(name, command, served, {"HF_HOME": str(cache / "hub"), "HF_HUB_OFFLINE": "1"})


@contextlib.contextmanager
def running(server: Upstream, port: int, log: Path) -> Iterator[str]:
    """The server's address, once it answers."""
    environment = {**os.environ, **server.environment}
    with process(server.command, server.folder, environment, log) as started:
        until(f"http://127.0.0.1:{port}/v1/models", started, log)
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def fairlead(name: str, upstream_port: int, folder: Path) -> Iterator[str]:
    """The address of a Fairlead whose workspace has this upstream."""
    port = free_port()
    workspace = folder / "workspace"
    workspace.mkdir(parents=True)
    text = (HERE / "upstreams" / f"{name}.yaml").read_text().replace("{port}", str(upstream_port))
    (workspace / "fairlead.yaml").write_text(text)
    command = [sys.executable, "-m", "fairlead", "serve", str(workspace), "--data", str(folder / "data")]
    command += ["--port", str(port)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FAIRLEAD_")}
    log = folder / "fairlead.log"
    with process(command, folder, environment, log) as started:
        until(f"http://127.0.0.1:{port}/readyz", started, log)
        yield f"http://127.0.0.1:{port}"


def answers(url: str) -> bool:
    """Whether a server is still there."""
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/v1/models", timeout=60) as reply:
        return bool(reply.status == 200)
    return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def process(
    command: list[str], folder: Path, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A program, running until the block ends."""
    with log.open("wb") as out:
        started = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=out, stderr=out)
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def until(url: str, started: subprocess.Popen[bytes], log: Path, *, any_status: bool = False) -> None:
    """Returns when the URL answers 200, or at all."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and started.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200 or any_status:
                    return
        except urllib.error.HTTPError:
            if any_status:
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
            continue
        time.sleep(0.2)
    raise RuntimeError(f"{started.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")
