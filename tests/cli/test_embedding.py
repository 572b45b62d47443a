"""Publishing gives pages to the workspace's model for embeddings, and says what it was not given and why."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.faults.provider import Provider
from tests.faults.vector_wires import MEANINGS

from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up

POLICIES = """
@id("may") @reason("all may") permit (principal, action, resource);
@id("secret") @reason("restricted pages stay in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.data_class >= 3 };
"""


def written(folder: Path, url: str) -> Path:
    model = {"use": f"openai-compatible/{MEANINGS}", "url": f"{url}/v1", "embeddings": {"near": 0.5}}
    whole = {
        "organisation": "acme",
        "models": {"vectors": {**model, "placement": {"kind": "cloud"}}, "quotes": "local/extractive"},
        "prices": {"vectors": {"input": 1}},
        "context": {"embeddings": "vectors"},
        "retries": {"tries": 1},
    }
    pages = {
        "holiday": "public\n---\n# Holiday\n28 days.\n",
        "bands": "restricted\n---\n# Pay\nSeven bands of money.\n",
    }
    for name, text in pages.items():
        path = folder / f"context/{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\naudience: [everyone]\nclass: {text}")
    (folder / "policies").mkdir()
    (folder / "policies/main.cedar").write_text(POLICIES)
    (folder / "fairlead.yaml").write_text(json.dumps(whole))
    return folder


async def test_apply_embeds_and_says_what_it_cost_and_what_stayed_here(
    fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Provider() as provider:
        acme = written(tmp_path / "acme", provider.url)
        monkeypatch.chdir(acme)
        set_up(find(acme))

        async def called(*arguments: str) -> str:
            said = await asyncio.to_thread(fairlead, *arguments)
            assert said.status == 0, said
            return said.out + said.err

        provider.always = "500"
        failed = await called("apply")
        assert "warning: 1 section not embedded yet, and found by words alone: the model's server" in failed
        provider.always = ""
        done = await called("apply")
        assert "embedded 1 section for 0.000003 USD" in done
        back = "1 section of class restricted kept back, and found by words alone"
        assert f"not embedded: {back}: vectors: restricted pages stay in the house" in done
        looked = await called("doctor", "--json")
        assert f"1 of 2 sections embedded by vectors; {back}" in looked
        assert "pages are scored by each worker" in looked
        found = await called("context", "search", "How much vacation?", "--group", "everyone")
        assert "holiday@" in found
        assert back in found
        assert len({str(each.json["input"]) for each in provider.received}) == 2
