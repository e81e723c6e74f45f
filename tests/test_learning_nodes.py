"""A host file of two nodes through DeepSpeed's runner. Both are this machine: pdsh and ssh stand in for the network."""

import json
from argparse import Namespace

import pytest

from common.errors import LabError
from learning import launch
from learning_fixtures import RECIPE, environment, last_error, run, save_backbone, save_corpus
from test_learning_train import same_end

# pdsh -S -f N -w HOST,HOST COMMAND: runs the command once per host, with an environment of its own, %n its number.
PDSH = """#!/bin/bash
IFS=, read -ra hosts <<< "$5"; shift 5
for i in "${!hosts[@]}"; do env -i PATH="$PATH" GLOO_SOCKET_IFNAME=lo bash -c "${*//%n/$i}" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
exit ${status:-0}
"""
SSH = "#!/bin/bash\necho 127.0.0.1\n"


@pytest.mark.slow
def test_two_nodes_end_where_one_does(tmp_path, monkeypatch):
    for name, text in (("pdsh", PDSH), ("ssh", SSH)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{environment()['PATH']}")
    save_backbone(tmp_path / "backbone")
    save_corpus(tmp_path / "corpus.parquet")
    (tmp_path / "hosts").write_text("localhost slots=1\n127.0.0.1 slots=1\n")
    common = ["--corpus", tmp_path / "corpus.parquet", "--backbone", tmp_path / "backbone", "--ranks", 2]
    common += ["--recipe", json.dumps({**RECIPE, "epochs": 1, "unlearned": " (never|there)$"})]
    for out, more in (("one", []), ("two", ["--hostfile", tmp_path / "hosts"])):
        done = run(
            "train", *common, *more, "--threads", 2, "--out", tmp_path / out, "--state", tmp_path / f"{out}-state"
        )
        assert done.returncode == 0, done.stderr[-3000:]
    same_end(tmp_path / "one", tmp_path / "two")
    (tmp_path / "hosts").write_text("localhost slots=1\n127.0.0.1 slots=3\n")
    done = run("train", *common, "--hostfile", tmp_path / "hosts", "--out", tmp_path / "no", "--state", tmp_path / "s")
    assert "hosts: field --ranks: 4 slots for 2 ranks" in last_error(done)


def test_host_files(tmp_path):
    args = Namespace(hostfile=str(tmp_path / "hosts"), ranks=6, threads=8, gpus=0)
    with pytest.raises(LabError, match="hosts: no such file"):
        launch.slots(args)
    (tmp_path / "hosts").write_text("# the nodes\n\na slots=4  # large\nb slots=2\n")
    assert launch.slots(args) == [4, 2] and launch.rank_settings(args)["OMP_NUM_THREADS"] == "2"
    (tmp_path / "hosts").write_text("a slots=4\nb\n")
    with pytest.raises(LabError, match="hosts: row 2: 'b' is not of the form"):
        launch.slots(args)
    assert launch.slots(Namespace(hostfile=None, ranks=6)) == [6]
