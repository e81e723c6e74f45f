"""Reads and checks the configuration and the arms; helpers that every rule file uses. No rules here."""

import gc
import json
import os
import sys

# What a plan of thousands of jobs makes stays: looking for garbage took a tenth of its time.
gc.set_threshold(100_000)
sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))
from common.config import IN_CONTEXT, check, has_weights, read_arms, read_yaml
from common.errors import LabError
from common.sources import sources
from measuring.inputs import Run
from measuring.modules import declared, names
from puzzles import registry as puzzle_registry
from puzzles.registry import FAMILIES
from reasoning import registry as design_registry
from reasoning.grammar.reveal import Reveal
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

SCHEMAS = f"{workflow.basedir}/config"
try:
    check(config, f"{SCHEMAS}/config.schema.yaml", map(os.path.relpath, workflow.configfiles))
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
except LabError as error:
    raise WorkflowError(str(error)) from None

phrases = sorted({phrase for family in FAMILIES.values() for phrase in family.phrases})
families = sorted({family for row in arms.families for family in row})
eval_sets = ["test", "real"] if config["benchmark_csv"] else ["test"]
orders = list(dict.fromkeys(["uniform", *(Reveal.parse(text).order for text in arms.reveal)]))
runs = [{"arm": name, "seed": seed} for name, n in arms.seeds.items() for seed in range(1, n + 1)]
untrained = arms.index[arms.recipe == IN_CONTEXT].tolist()
trainings = [run for run in runs if run["arm"] not in untrained]


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
    table="|".join(names("table")),
    figure="|".join(names("figure")),


def code(script, family=(), design=None, member=None):
    """The script and the library files it runs on, of the families, the design or the module that the job is about only."""
    named = [family] if isinstance(family, str) else family
    members = {puzzle_registry.MODULES[f] for f in named}
    members |= {design_registry.MODULES[f, design] for f in named if design}
    members |= {member} if member else set()
    return [f"workflow_scripts/{path}" for path in sources(f"{script}.py", *sorted(members))]


def design_files(names):
    """The files of every design of these families."""
    found = {name for (family, _), name in design_registry.MODULES.items() if family in names}
    return [f"workflow_scripts/{name.replace('.', '/')}.py" for name in sorted(found)]


def arm(column):
    """One cell of the table of arms, looked up by the arm wildcard."""
    return lookup(query="arm == '{arm}'", within=arms, cols=column)


def backbone_of(wildcards):
    return backbones[arms.at[wildcards.arm, "backbone"]]


def deepspeed_of(wildcards):
    """The DeepSpeed file of the backbone's stage, with the optimiser (and weights, in stage 3) on the CPU if it says so."""
    options = backbone_of(wildcards)
    return f"config/deepspeed/zero{options['zero_stage']}{'-offload' * options.get('offload', False)}.json"


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


def arm_puzzles(name, split, folder="puzzles"):
    """The problems (or their solutions) of an arm's families, one table each."""
    return [f"<results>/{folder}/{family}/{split}.parquet" for family in arms.at[name, "families"]]


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
