"""The smoke configuration from end to end."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from test_workflow import SMOKE, copy

from measuring.modules import names


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """A run as a user starts it, whose processor time counts as that of a child of this process."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=2400)


def cpu_seconds() -> float:
    """Processor time of everything run so far: unlike the clock, the same on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_smoke_from_end_to_end(tmp_path):
    """Every stage on two cores, DeepSpeed with two ranks; a second run does nothing; the report is one file."""
    folder = copy(tmp_path)
    started = cpu_seconds()
    done = snakemake(folder, *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cpu_seconds() - started < 2 * 8 * 60
    results = folder / "results/smoke"
    for name in names("figure"):
        assert (results / f"figures/{name}.png").stat().st_size > 10_000
        assert (results / f"figures/{name}.pdf").read_bytes().startswith(b"%PDF")
    for arm in ("forward-mix", "derive-reveal-10"):
        made = json.loads((results / f"adapters/{arm}/seed-1/provenance.json").read_text())
        assert made["run"]["ranks"] == made["ranks"] == 2 and made["gpus"] == 0
    assert (results / "tables/accuracy.csv").read_text().count("\n") > 40

    started = cpu_seconds()
    done = snakemake(folder, *SMOKE)
    assert "Nothing to be done" in done.stdout + done.stderr
    assert cpu_seconds() - started < 20
    done = snakemake(folder, "--report", "report.html", *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "What would change our mind" in page and '<script src="http' not in page
