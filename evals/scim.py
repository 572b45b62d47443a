"""A tester of SCIM servers, by those who write SCIM's client for Python: what it says of the door at `/scim/v2/`.

    python -m venv /tmp/scim && /tmp/scim/bin/pip install scim2-tester scim2-client httpx2
    python -m evals.scim --python /tmp/scim/bin/python

Keys of the last line: `checks`, `passed`, `failed` (name and what it was).
"""

import argparse
import hashlib
import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.world import served

TOKEN = "scim-token-of-the-tester-0123456789"
PROGRAM = """
import json, sys
from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server
client = SyncSCIMClient(Client(base_url=sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]}))
client.discover()
said = [(each.status.name, each.title, str(each.reason)) for each in check_server(client)]
print(json.dumps(said))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", required=True, help="a Python that has scim2-tester")
    python = parser.parse_args().python
    token = "sha256:" + hashlib.sha256(TOKEN.encode()).hexdigest()
    acme = {"issuer": "http://127.0.0.1:1", "audience": "fairlead", "name": "acme"}
    identity = {"providers": [acme | {"scim": {"token": token, "person": "userName"}}]}
    with TemporaryDirectory() as folder, served(Path(folder), identity=identity) as s:
        asked = [python, "-c", PROGRAM, f"{s.url}/scim/v2/acme", TOKEN]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    failed = [f"{title}: {reason[:160]}" for status, title, reason in said if status not in ("SUCCESS", "SKIPPED")]
    print(json.dumps({"eval": "scim", "checks": len(said), "passed": len(said) - len(failed), "failed": failed}))


if __name__ == "__main__":
    main()
