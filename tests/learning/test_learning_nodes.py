"""A host file of two nodes through DeepSpeed's runner, pdsh and ssh; both are this machine, by an sshd of its own."""

import json
import os
import shutil
import socket
import subprocess
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from test_learning_train import same_end

from common.artifacts import write_table
from common.errors import LabError
from learning import launch
from learning_fixtures import RECIPE, last_error, rows, run

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
MISSING = [name for name in ("pdsh", "ssh", "ssh-keygen") if not shutil.which(name)] + ["sshd"] * (not SSHD)
# What a shell, pdsh and DeepSpeed each have a meaning for: it has to reach the nodes as it is.
AWKWARD = r"/(never|there)$|`\$HOME` \\ 100%|%n \"it's\" \d+!"
SERVER = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
SetEnv GLOO_SOCKET_IFNAME=lo
"""
CLIENT = """\
Host node-a node-b
    HostName 127.0.0.1
    Port {port}
    HostKeyAlias nodes
    UserKnownHostsFile {folder}/known_hosts
    IdentityFile {folder}/client
    IdentitiesOnly yes
    BatchMode yes
"""


@contextmanager
def two_nodes(folder: Path) -> Iterator[str]:
    """An sshd on loopback with keys and settings in `folder`; yields the PATH whose ssh reaches node-a and node-b."""
    folder.mkdir()
    port = launch.free_port()
    for key in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    for name, text in (("sshd_config", SERVER), ("ssh_config", CLIENT)):
        (folder / name).write_text(text.format(folder=folder, port=port))
    (folder / "known_hosts").write_text(f"nodes {(folder / 'host.pub').read_text()}")
    # ssh looks for its settings in the home of the account, whatever HOME says: only an option sends it elsewhere.
    (folder / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    (folder / "ssh").chmod(0o755)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # as the service does at its start
    sshd = subprocess.Popen([SSHD, "-D", "-f", folder / "sshd_config", "-E", folder / "log"])
    try:
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert sshd.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield f"{folder}:{os.environ['PATH']}"
    finally:
        for left in psutil.Process(sshd.pid).children(recursive=True):  # a run that was cut off leaves its ranks there
            with suppress(psutil.NoSuchProcess):
                left.kill()
        sshd.terminate()
        sshd.wait()


def arguments(place: Path, out: str, corpus: str = "corpus.parquet", **recipe) -> list[object]:
    return [
        *("--corpus", place / corpus, "--backbone", place / "backbone", "--out", place / out),
        *("--state", place / f"{out}-state", "--ranks", 2, "--threads", 2, "--backbone-options", '{"packing":true}'),
        *("--recipe", json.dumps({**RECIPE, "epochs": 1, **recipe})),
    ]


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (Debian: openssh-server pdsh)")
def test_two_nodes_end_where_one_does(place, tmp_path, monkeypatch):
    (tmp_path / "hosts").write_text("node-a slots=1\nnode-b slots=1\n")
    mixed = [{**row, "stratum": "never" if i % 2 else "all"} for i, row in enumerate(rows(32))]
    write_table(place / "mixed.parquet", mixed)
    done = run("train", *arguments(place, "one", corpus="mixed.parquet", first_stage=AWKWARD))
    assert done.returncode == 0, done.stderr[-3000:]
    with two_nodes(tmp_path / "ssh") as path:
        monkeypatch.setenv("PATH", path)
        done = run(
            "train",
            *arguments(place, "two", corpus="mixed.parquet", first_stage=AWKWARD),
            "--hostfile",
            tmp_path / "hosts",
        )
        assert done.returncode == 0, (done.stderr + (tmp_path / "ssh" / "log").read_text())[-3000:]
    same_end(place / "one", place / "two")
    assert (tmp_path / "ssh" / "log").read_text().count("Accepted publickey") >= 2
    one, two = (json.loads((place / out / "provenance.json").read_text()) for out in ("one", "two"))
    assert one["recipe"] == two["recipe"] and two["argv"][-1] == str(tmp_path / "hosts")


def test_refused_before_the_start(place, tmp_path, monkeypatch):
    (tmp_path / "hosts").write_text("node-a slots=1\nnode-b slots=3\n")
    done = run("train", *arguments(place, "no"), "--hostfile", tmp_path / "hosts")
    assert "hosts: field --ranks: 4 slots for 2 ranks" in last_error(done)
    (tmp_path / "hosts").write_text("node-a slots=2\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("train", *arguments(place, "no"), "--hostfile", tmp_path / "hosts")
    assert "hosts: no pdsh here to start the nodes by" in last_error(done)


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
