"""Reads the configuration and the arms once, checked, as `lab`, which every rule file asks. No rules here."""

import gc
import json
import os
import sys

# A plan of thousands of jobs keeps its objects to the end; garbage collection took a tenth of its time.
gc.set_threshold(100_000)
sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))
from common.config import keep_config
from common.errors import LabError
from common.gpus import present
from common.running import hold, use_this_python
from learning.methods.base import HARVESTS
from measuring.explorer.parts import PAGE, TRACE_FILES, cells_of
from measuring.modules import names
from planning.checks import read_lab
from planning.run_log import be_brief, where
from planning.supply import check_supply
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Reveal
from reasoning.job_files import code, code_of_designs
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

use_this_python()
if workflow.is_main_process and workflow.nodes is None:
    # On a cluster, jobs of a killed run may still be running, so the locks stay.
    alive = hold()


def here(path):
    """A file of the project, seen from where Snakemake works: mostly the same folder."""
    return os.path.relpath(Path(workflow.basedir) / path)


try:
    lab = read_lab(config, [os.path.relpath(file) for file in workflow.configfiles], here)
    if workflow.is_main_process:  # the jobs' own processes read this file, too
        check_supply(lab)
except LabError as error:
    raise WorkflowError(str(error)) from None

# All jobs on this machine share these GPUs; a cluster has its own limits. Params say how many one job uses.
if workflow.nodes is None and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", len(present()))


wildcard_constraints:
    family="|".join(FAMILIES),
    design="|".join(sorted({design for _, design in DESIGNS})),
    reveal=Reveal.PATTERN,
    corruption="|".join(CORRUPTIONS),
    split="train|test|real",
    eval_set="test|real|train",
    arm="|".join(lab.arms.index),
    seed=r"\d+",
    decoder="|".join(lab.decoders),
    backbone="|".join(lab.backbones),
    kept="|".join(HARVESTS),
    kind="signatures|bit_sequences",
    trace="|".join(config["traces"]) or "none",
    table="|".join(names("table")),
    figure="|".join(names("figure")),
