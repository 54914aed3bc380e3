"""What a machine tells of its noise."""

from pathlib import Path

from gmixbench.lab.comparison.quiet import advice


def machine(root: Path, *, load: str, governor: str, heat: str, stat: str) -> tuple[Path, Path]:
    files = {
        "proc/loadavg": load,
        "proc/stat": stat,
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": governor,
        "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": heat,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root / "proc", root / "sys"


def test_a_quiet_machine_gets_no_advice(tmp_path: Path) -> None:
    told = machine(
        tmp_path,
        load="0.08 0.03 0.01 1/100 4711",
        governor="performance",
        heat="0",
        stat="cpu  100 0 50 9000 0 0 0 10 0 0\ncpu0 1 2 3",
    )
    assert [*advice(*told)] == []


def test_each_trouble_is_told_with_what_to_do(tmp_path: Path) -> None:
    told = machine(
        tmp_path,
        load="1.52 0.9 0.5 3/100 4711",
        governor="powersave",
        heat="12",
        stat="cpu  100 0 50 750 0 0 0 100 0 0",
    )
    load, governor, heat, stolen = advice(*told)
    assert "load is 1.5" in load
    assert "powersave" in governor
    assert "12 times" in heat
    assert "10 % of the time" in stolen


def test_a_system_that_tells_nothing_gets_no_advice(tmp_path: Path) -> None:
    assert [*advice(tmp_path / "proc", tmp_path / "sys")] == []
