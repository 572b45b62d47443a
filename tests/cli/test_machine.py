"""What the machine can do: within a container's limits, with and without graphics, and told at the command line."""

from pathlib import Path

from tests.cli.conftest import Fairlead

from fairlead.cli.hardware import fingerprint, hardware, read_cards
from fairlead.cli.runtimes import served_by


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


CONTAINER = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Some Processor 9\n",
    "proc/meminfo": "MemTotal: 16777216 kB\nMemFree: 1 kB\nMemAvailable: 8388608 kB\n",
    "proc/self/cgroup": "0::/outer/inner\n",
    "sys/fs/cgroup/outer/cpu.max": "50000 100000",
    "sys/fs/cgroup/outer/inner/cpu.max": "max 100000",
    "sys/fs/cgroup/outer/inner/memory.max": str(2 << 30),
    "sys/fs/cgroup/outer/inner/memory.current": str(1 << 30),
}


def test_a_container_s_limits_count_and_not_what_its_host_has(tmp_path: Path) -> None:
    found = hardware(machine(tmp_path, CONTAINER))
    assert (found.processor, found.cores) == ("Some Processor 9", 0.5)
    assert (found.memory, found.available) == (2 << 30, 1 << 30)


def test_another_limit_or_another_card_is_another_machine(tmp_path: Path) -> None:
    first = fingerprint(machine(tmp_path, CONTAINER))
    assert fingerprint(tmp_path) == first
    card = {"sys/class/drm/card0/device/vendor": "0x1002", "sys/class/drm/card0/device/device": "0x744c"}
    second = fingerprint(machine(tmp_path, card))
    memory = {"sys/class/drm/card0/device/mem_info_vram_total": "2048", "proc/self/cgroup": "0::/\n"}
    third = fingerprint(machine(tmp_path, memory))
    assert len({first, second, third}) == 3


def test_cards_are_read_as_the_program_tells_them() -> None:
    (card,) = read_cards("NVIDIA H200, 143771, 143170\n")
    assert (card.name, card.memory, card.free) == ("NVIDIA H200", 143771 << 20, 143170 << 20)
    (shared,) = read_cards("Some Board, [N/A], [N/A]\n")
    assert shared.memory is None


def test_what_the_machine_can_do_is_told_and_nothing_in_a_cloud_is_measured(live: Path, fairlead: Fairlead) -> None:
    entry = live / "fairlead.yaml"
    entry.write_text(
        entry.read_text().replace(
            "  local: local/extractive",
            "  local: local/extractive\n  house: {use: openai-compatible/tiny, url: 'http://127.0.0.1:9/v1'}",
        )
    )
    said = fairlead("machine", "--json").json
    assert said["cores"] > 0
    assert said["fingerprint"] == fingerprint()
    assert said["graphics"] or said["no_graphics"]
    (declared,) = [one for one in said["servers"] if one["url"] == "http://127.0.0.1:9/v1"]
    assert declared["failed"]
    assert said["speeds"] == []
    refused = fairlead("machine", "--measure", "--model", "small")
    assert refused.status == 2
    assert "is no model of the house" in refused.err
    assert "would measure house" in fairlead("machine", "--measure", "--dry-run").err
    assert not (live / ".fairlead" / "speeds.json").exists()
    assert fairlead("apply", "--yes").status == 0
    failed = fairlead("machine", "--measure")
    assert failed.status == 1
    assert "not measured: house" in failed.err


def test_weights_are_those_that_the_model_s_own_server_tells_of(live: Path) -> None:
    from fairlead.cli.compiled import in_folder
    from fairlead.cli.place import find

    assert served_by(in_folder(find(live)), [], "nobody") == ""
