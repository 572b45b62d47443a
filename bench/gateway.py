"""Fairlead as one contestant of a side-by-side comparison: all governance and durable records on.

    python bench/gateway.py tokens tokens.txt --principals 200
    python bench/gateway.py serve --port 8700 --upstream http://127.0.0.1:9000/v1 --tokens tokens.txt

`tokens` makes a key for each principal and writes one `Authorization` header a line. `serve` writes a workspace for one
model at the upstream (Cedar policies, detectors with a redaction, budgets in four scopes, encrypted payloads, signed
audit log, synchronous commits) into a new temporary folder and serves it with one worker.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from fairlead.clock import SystemClock
from fairlead.identity.keys import digest_of, new_key

DEPARTMENTS = ("finance", "legal", "support", "sales", "hr", "it", "retail", "logistics")

POLICIES = """
@id("staff-use-models") @reason("staff may use the general model")
permit(principal, action == Action::"call_model", resource) when { principal.department != "" };

@id("staff-get-replies")
permit(principal, action == Action::"release_reply", resource);

@id("read-what-is-for-you")
permit(principal, action == Action::"read_context", resource);

@id("cards-stay-here") @reason("card and account numbers do not leave the house") @redact("payment_card,iban")
forbid(principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.containsAny(["payment_card", "iban"]) };

@id("no-secrets-out") @reason("no reply carries a secret")
forbid(principal, action == Action::"release_reply", resource) when { context.categories.contains("secret") };

@id("restricted-needs-legal") @reason("restricted data is for legal only")
forbid(principal, action == Action::"call_model", resource)
when { context.data_class >= 3 && principal.department != "legal" };
"""


def write_tokens(path: Path, principals: int) -> None:
    clock = SystemClock()
    path.write_text("".join(f"Authorization: Bearer {new_key(clock)[0]}\n" for _ in range(principals)))


def workspace(upstream: str, tokens: list[str]) -> dict[str, object]:
    """fairlead.yaml as data: JSON is YAML."""
    keys = {
        f"k{number}": {
            "secret": f"sha256:{digest_of(token).hex()}",
            "person": f"person-{number}",
            "department": DEPARTMENTS[number % len(DEPARTMENTS)],
            "groups": ["staff"],
        }
        for number, token in enumerate(tokens)
    }
    return {
        "organisation": "bench",
        "models": {
            "gpt-4o": {
                "use": "openai-compatible/gpt-4o",
                "url": upstream,
                "placement": {"kind": "cloud", "region": "eu", "vendor": "bench"},
                "max_output": 4096,
            }
        },
        "prices": {"gpt-4o": {"input": 2.5, "output": 10, "cached_input": 1.25}},
        "keys": keys,
        "budgets": {
            "organisation": {"monthly": 1_000_000},
            "departments": {"*": {"monthly": 200_000}},
            "persons": {"*": {"daily": 10_000}},
        },
    }


def serve(port: int, upstream: str, tokens: Path, workers: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="fairlead-bench-"))
    headers = [line.split()[-1] for line in tokens.read_text().splitlines()]
    (folder / "fairlead.yaml").write_text(json.dumps(workspace(upstream, headers), indent=1))
    (folder / "policies").mkdir()
    (folder / "policies" / "main.cedar").write_text(POLICIES)
    command = [sys.executable, "-m", "fairlead", "serve", str(folder), "--port", str(port), "--workers", str(workers)]
    os.execv(sys.executable, command)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("tokens")
    made.add_argument("file", type=Path)
    made.add_argument("--principals", type=int, default=200)
    served = commands.add_parser("serve")
    served.add_argument("--port", type=int, required=True)
    served.add_argument("--upstream", required=True)
    served.add_argument("--tokens", type=Path, required=True)
    served.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    if given.command == "tokens":
        write_tokens(given.file, given.principals)
    else:
        serve(given.port, given.upstream, given.tokens, given.workers)


if __name__ == "__main__":
    main()
