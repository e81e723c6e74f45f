"""Reads and checks the configuration and the arms; helpers that every rule file uses. No rules here."""

import gc
import json
import os
import sys

# What a plan of thousands of jobs makes stays: looking for garbage took a tenth of its time.
gc.set_threshold(100_000)
sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))
from common.config import IN_CONTEXT, check, has_weights, read_arms, read_yaml, require_file
from common.errors import LabError
from common.gpus import present
from common.running import hold, use_this_python
from common.sources import sources
from learning.settings import check_local
from puzzles import registry as puzzle_registry
from puzzles.registry import FAMILIES
from reasoning import registry as design_registry
from reasoning.grammar.reveal import Reveal
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

use_this_python()
if workflow.is_main_process and workflow.nodes is None:
    # Not on a cluster, which may still have the jobs of a killed run.
    alive = hold()


def here(path):
    """A file of the project, relative to where Snakemake works: mostly the same folder."""
    return os.path.relpath(Path(workflow.basedir, path))


SCHEMAS = f"{workflow.basedir}/config"
config_files = [os.path.relpath(file) for file in workflow.configfiles]
try:
    check(config, f"{SCHEMAS}/config.schema.yaml", config_files)
    for key in ("arms", "backbones", "recipes", "benchmark_csv"):
        if not Path(config[key]).exists() and Path(here(config[key])).exists():
            config[key] = here(config[key])
        require_file(config, key, config_files)
    backbones, recipes = read_yaml(config["backbones"]), read_yaml(config["recipes"])
    check(backbones, f"{SCHEMAS}/backbones.schema.yaml", [config["backbones"]])
    check(recipes, f"{SCHEMAS}/recipes.schema.yaml", [config["recipes"]])
    arms = read_arms(
        config["arms"],
        designs={key: design.reveal for key, design in DESIGNS.items()},
        backbones=backbones,
        recipes=recipes,
        corruptions=CORRUPTIONS,
    )
    check_local({name: backbones[name] for name in arms.backbone}, config["backbones"])
except LabError as error:
    raise WorkflowError(str(error)) from None

phrases = sorted({phrase for family in FAMILIES.values() for phrase in family.phrases})
families = sorted({family for row in arms.families for family in row})
eval_sets = ["test", "real"] if config["benchmark_csv"] else ["test"]
with_key = [family for family in families if family.startswith("cryptarithm")]
with_forward = [family for family in families if (family, "forward") in DESIGNS]
orders = list(dict.fromkeys(["uniform", *(Reveal.parse(text).order for text in arms.reveal)]))
runs = [{"arm": name, "seed": seed} for name, n in arms.seeds.items() for seed in range(1, n + 1)]
untrained = arms.index[arms.recipe == IN_CONTEXT].tolist()
trainings = [run for run in runs if run["arm"] not in untrained]
ranks = config["gpus"] or config["ranks"]

# How many GPUs jobs here have together; a cluster has its own limits. What one job uses stands in its params.
if workflow.nodes is None and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", len(present()))


wildcard_constraints:
    family="|".join(FAMILIES),
    design="|".join(sorted({design for _, design in DESIGNS})),
    reveal=Reveal.PATTERN,
    corruption="|".join(CORRUPTIONS),
    split="train|test|real",
    eval_set="test|real",
    arm="|".join(arms.index),
    seed=r"\d+",
    decoder="|".join(config["decoders"]),
    backbone="|".join(backbones),
    kind="signatures|bit_sequences",


def code(script, family=(), design=None):
    """The script and the library files it runs on, of the families and the design that the job is about only."""
    named = [family] if isinstance(family, str) else family
    members = {puzzle_registry.MODULES[f] for f in named}
    members |= {design_registry.MODULES[f, design] for f in named if design}
    return [here(f"workflow_scripts/{path}") for path in sources(f"{script}.py", *sorted(members))]


def design_files(names):
    """The files of every design of these families."""
    found = {name for (family, _), name in design_registry.MODULES.items() if family in names}
    return [here(f"workflow_scripts/{name.replace('.', '/')}.py") for name in sorted(found)]


def arm(column):
    """One cell of the table of arms, looked up by the arm wildcard."""
    return lookup(query="arm == '{arm}'", within=arms, cols=column)


def backbone_of(wildcards):
    return backbones[arms.at[wildcards.arm, "backbone"]]


def local_files(wildcards):
    """The files of a backbone that is a local folder; none of one that is made here or fetched."""
    folder = backbones[wildcards.backbone].get("path")
    return (
        [str(path) for path in sorted(Path(folder).iterdir()) if path.is_file()] if folder else []
    )


def deepspeed_of(wildcards):
    """The DeepSpeed file of the backbone's stage, with the optimiser (and weights, in stage 3) on the CPU if it says so."""
    options = backbone_of(wildcards)
    return here(
        f"config/deepspeed/zero{options['zero_stage']}{'-offload' * options.get('offload', False)}.json"
    )


def recipe_of(wildcards):
    """The training settings of an arm; none where nothing is trained."""
    return recipes.get(arms.at[wildcards.arm, "recipe"], {})


def backbone_file(wildcards):
    return f"<results>/backbones/{arms.at[wildcards.arm, 'backbone']}/config.json"


def skills_file(wildcards):
    return f"<results>/backbones/{arms.at[wildcards.arm, 'backbone']}.skills.json"


def is_trained(wildcards):
    return wildcards.arm not in untrained


def is_here(wildcards):
    """Whether the arm's backbone is a folder here, not an endpoint or a baseline."""
    return has_weights(backbone_of(wildcards))


def making_gpus(wildcards):
    """Pretraining is for one GPU; a backbone that is fetched, linked or left as it starts needs none."""
    make = backbones[wildcards.backbone].get("make", {"steps": 0})
    return min(config["gpus"], make.get("steps", 1), 1)


def decoding_gpus(wildcards):
    """vLLM spreads a model over all GPUs that a job may have; the other engines use one, endpoints and baselines none."""
    used = config["gpus"] if backbone_of(wildcards).get("engine") == "vllm" else 1
    return min(config["gpus"], used) if is_here(wildcards) else 0


def who(wildcards, input):
    """The options of sample.py that say who completes: a backbone, its adapter, examples in the prompt."""
    options = f"--backbone {Path(input.backbone).parent}" if input.backbone else ""
    if input.adapter:
        return f"{options} --adapter {Path(input.adapter).parent}"
    n = arms.at[wildcards.arm, "n"]
    return f"{options} --corpus {input.corpus} --shots {n} --seed {wildcards.seed}"


def arm_texts(name, split):
    """The rendered texts of an arm, one table per family. What the model is shown never depends on the corruption."""
    row = arms.loc[name]
    corruption = row.corruption if split == "train" else "none"
    tail = f"{row.design}/reveal-{row.reveal}/{corruption}/{split}.parquet"
    return [f"<results>/texts/{family}/{tail}" for family in row.families]


def arm_puzzles(name, split):
    """The problems of an arm's families, one table each."""
    return [f"<results>/puzzles/{family}/{split}.parquet" for family in arms.at[name, "families"]]


def n_examples(wildcards):
    """Training rows per family; in context, those of every seed."""
    row = arms.loc[wildcards.arm]
    return row.n * row.seeds if wildcards.arm in untrained else row.n


def arm_drills(name):
    """The recall drills that an arm's recipe mixes in, one table per family."""
    drilled = recipes.get(arms.at[name, "recipe"], {}).get("drills", 0)
    return [f"<results>/drills/{family}.parquet" for family in arms.at[name, "families"] if drilled]


def rows(split, family):
    sizes = config["rows"][split]
    return sizes.get(family, sizes["default"])


def graded(folder, suffix=".parquet"):
    """Every arm, seed, decoder and evaluation set; real rows have neither key nor rules, so arms with either skip them."""
    return [
        f"<results>/{folder}/{run['arm']}/seed-{run['seed']}/{decoder}/{eval_set}{suffix}"
        for run in runs
        for decoder in config["decoders"]
        for eval_set in eval_sets
        if eval_set == "test" or arms.at[run["arm"], "reveal"] == "0"
    ]
