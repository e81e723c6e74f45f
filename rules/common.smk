"""Reads and checks the configuration and the arms; helpers that every rule file uses. No rules here."""

import gc
import json
import os
import shlex
import sys
from dataclasses import replace

# What a plan of thousands of jobs makes stays: looking for garbage took a tenth of its time.
gc.set_threshold(100_000)
sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))
from common.config import (
    FILES,
    IN_CONTEXT,
    check,
    check_budgets,
    keep_config,
    read_arms,
    read_yaml,
    require_file,
)
from common.errors import LabError
from common.gpus import present
from common.running import hold, use_this_python
from learning.decoders import changed, lacking, resolve
from learning.engines import engine_of
from learning.methods import check_recipes, read_recipe
from learning.settings import check_local, read_backbones
from measuring.inputs import Run
from measuring.modules import declared, names
from learning.shipped import check_context, check_shipped, shipped_files
from puzzles.registry import FAMILIES
from reasoning.auxiliary.hints import HINTS
from reasoning.grammar.reveal import Reveal
from reasoning.job_files import code, code_of_designs
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

use_this_python()
if workflow.is_main_process and workflow.nodes is None:
    # Not on a cluster, which may still have the jobs of a killed run.
    alive = hold()


HOME = os.path.relpath(workflow.basedir)


def here(path):
    """A file of the project, relative to where Snakemake works: mostly the same folder."""
    return path if HOME == "." else f"{HOME}/{path}"


config_files = [os.path.relpath(file) for file in workflow.configfiles]
try:
    check(config, FAMILIES, config_files)
    for key in (*FILES, "benchmark_csv"):
        if (
            not isinstance(config[key], dict)
            and not Path(config[key]).exists()
            and Path(here(config[key])).exists()
        ):
            config[key] = here(config[key])
        require_file(config, key, config_files)
    entries, recipes = read_yaml(config["backbones"]), read_yaml(config["recipes"])
    backbones = read_backbones(entries, config["backbones"])
    check_recipes(recipes, HINTS, config["recipes"])
    own = config["decoders"] if isinstance(config["decoders"], dict) else {}
    decoders_file = here("config/decoders.yaml") if own else config["decoders"]
    decoders = resolve(changed(read_yaml(decoders_file), own), config["decoding"], decoders_file)
    if config["harvest"]["decoder"] not in decoders:
        raise LabError(f"unknown decoder, not in {decoders_file}", field="harvest.decoder")
    arms = read_arms(
        config["arms"],
        designs={key: design.reveal for key, design in DESIGNS.items()},
        backbones=backbones,
        recipes=recipes,
        corruptions=CORRUPTIONS,
        decoders={
            name: lambda backbone, name=name: lacking(name, decoders, engine_of(backbone))
            for name in decoders
        },
        harvest=config["harvest"]["decoder"],
    )
    for name, entry in entries.items():  # a folder of the project, wherever Snakemake works
        if (
            "path" in entry
            and not Path(entry["path"]).exists()
            and Path(here(entry["path"])).exists()
        ):
            entry["path"] = here(entry["path"])
            backbones[name] = replace(backbones[name], path=entry["path"])
    used = {name: backbones[name] for name in arms.backbone}
    check_local(used, config["backbones"])
    phrases = sorted({phrase for family in FAMILIES.values() for phrase in family.phrases})
    for options in used.values():
        if options.path:
            check_shipped(options.path, phrases)
    for name, row in arms.iterrows():
        check_context(name, recipes.get(row.recipe, {}), used[row.backbone])
    told = [
        arm
        for arm, row in arms.iterrows()
        if any(FAMILIES[f].has_key and DESIGNS[f, row.design].kinds for f in row.families)
    ]
    check_budgets(arms, told, backbones, decoders, config["thought"])
except LabError as error:
    raise WorkflowError(str(error)) from None

families = sorted({family for row in arms.families for family in row})
eval_sets = ["test", "real"] if config["benchmark_csv"] else ["test"]
orders = list(dict.fromkeys(["uniform", *(Reveal.parse(text).order for text in arms.reveal)]))
runs = [{"arm": name, "seed": seed} for name, n in arms.seeds.items() for seed in range(1, n + 1)]
untrained = arms.index[arms.recipe == IN_CONTEXT].tolist()
trainings = [run for run in runs if run["arm"] not in untrained]
ranks = config["gpus"] or config["ranks"]

# How many GPUs jobs here have together; a cluster has its own limits. What one job uses stands in its params.
if workflow.nodes is None and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", len(present()))
selections = [name for name, entry in decoders.items() if "of" in entry]


wildcard_constraints:
    family="|".join(FAMILIES),
    design="|".join(sorted({design for _, design in DESIGNS})),
    reveal=Reveal.PATTERN,
    corruption="|".join(CORRUPTIONS),
    split="train|test|real",
    eval_set="test|real|train",
    arm="|".join(arms.index),
    seed=r"\d+",
    decoder="|".join(decoders),
    backbone="|".join(backbones),
    kept="answer|valid",
    kind="signatures|bit_sequences",
    table="|".join(names("table")),
    figure="|".join(names("figure")),


def arm(column):
    """One cell of the table of arms, looked up by the arm wildcard."""
    return lookup(query="arm == '{arm}'", within=arms, cols=column)


def backbone_of(wildcards):
    return backbones[arms.at[wildcards.arm, "backbone"]]


def local_files(wildcards):
    """The files of a backbone that is a local folder; none of one that is made here or fetched."""
    folder = backbones[wildcards.backbone].path
    return [str(path) for path in shipped_files(folder)] if folder else []


def entry_of(name):
    """An entry of backbones.yaml for a script, as it was written."""
    return json.dumps(entries[name])


def deepspeed_of(wildcards):
    """The DeepSpeed file of the backbone's stage, with the optimiser (and weights, in stage 3) on the CPU if it says so."""
    options = backbone_of(wildcards)
    return here(f"config/deepspeed/zero{options.zero_stage}{'-offload' * options.offload}.json")


def recipe_of(wildcards):
    """The training settings of an arm; none where nothing is trained."""
    return recipes.get(arms.at[wildcards.arm, "recipe"], {})


def method_files(wildcards):
    """The file of the arm's training method, and what judges completions where the method asks for it."""
    recipe = read_recipe(recipe_of(wildcards))
    return [f"learning.methods.{recipe.method}", *["reasoning.judging.judges"] * recipe.JUDGED]


def decoder_files(wildcards):
    """The files of the arm's engine and of the decoder."""
    kind = decoders[wildcards.decoder]["kind"]
    return [
        f"learning.engines.{engine_of(backbone_of(wildcards))}",
        f"learning.decoders.{kind}",
    ]


def backbone_file(wildcards):
    return f"<results>/backbones/{arms.at[wildcards.arm, 'backbone']}/config.json"


def skills_file(wildcards):
    return f"<results>/backbones/{arms.at[wildcards.arm, 'backbone']}.skills.json"


def is_trained(wildcards):
    return wildcards.arm not in untrained


def is_held_out(wildcards):
    """Whether an evaluation set must share no row with the training examples."""
    return wildcards.eval_set != "train"


def is_here(wildcards):
    """Whether the arm's backbone is a folder here, not an endpoint or a baseline."""
    return backbone_of(wildcards).here


def answers_of(wildcards):
    """What decides the completions: who answers, and the decoder; rows share a batch only where a model is here."""
    decoder = decoders[wildcards.decoder]
    if not is_here(wildcards):
        decoder = {name: value for name, value in decoder.items() if name != "batch"}
    return backbone_of(wildcards).answers() | {"decoder": decoder}


def making_gpus(wildcards):
    """Pretraining is for one GPU; a backbone that is fetched, linked or left as it starts needs none."""
    make = backbones[wildcards.backbone].make
    return min(config["gpus"], make.steps if make else 0, 1)


def decoding_gpus(wildcards):
    """vLLM spreads a model over all GPUs that a job may have; the other engines use one, endpoints and baselines none."""
    used = config["gpus"] if backbone_of(wildcards).engine == "vllm" else 1
    return min(config["gpus"], used) if is_here(wildcards) else 0


def who(wildcards, input):
    """The options of sample.py that say who completes: a backbone, its adapter, examples in the prompt."""
    options = f"--backbone {Path(input.backbone).parent}" if input.backbone else ""
    if input.adapter:
        return f"{options} --adapter {Path(input.adapter).parent}"
    return f"{options} --corpus {input.corpus} --shots {arms.at[wildcards.arm, 'n']}"


def start_file(wildcards):
    """The adapter that a training starts from, of the same seed; none starts from the backbone."""
    start = arms.at[wildcards.arm, "start"]
    adapter = f"<results>/adapters/{start}/seed-{wildcards.seed}/adapter_model.safetensors"
    return adapter if start else []


def arm_texts(name, split, corruption="none"):
    """The rendered texts of an arm's rows, one table per family."""
    row = arms.loc[name]
    tail = f"{row.design}/reveal-{row.reveal}/{corruption}/{split}.parquet"
    return [f"<results>/texts/{family}/{tail}" for family in row.families]


def arm_rendered(wildcards):
    """The rendered texts that an arm learns from; with a source, only where its recipe mixes them in."""
    row = arms.loc[wildcards.arm]
    if row.source and not recipe_of(wildcards).get("rendered", 0):
        return []
    return arm_texts(wildcards.arm, "train", row.corruption)


def arm_harvests(wildcards):
    """The verified completions of the arm's source, of the same seed, one table per family."""
    row = arms.loc[wildcards.arm]
    kept = recipe_of(wildcards).get("harvest", "answer")
    tail = f"seed-{wildcards.seed}/{config['harvest']['decoder']}/{kept}"
    return [
        f"<results>/harvests/{row.source}/{tail}/{f}.parquet" for f in row.families if row.source
    ]


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


engines = ["slots", "generate", "vllm"] + [
    name for name in entries if entries[name].get("endpoint")
]


def engine_name(name):
    """The engine of parity.py: one of a model here, or that of a server, by its name in backbones.yaml."""
    return "endpoint" if entries.get(name, {}).get("endpoint") else name


def endpoint_of(*names):
    """The server among two engines, for parity.py."""
    found = [entries[name]["endpoint"] for name in names if engine_name(name) == "endpoint"]
    return f"--endpoint {shlex.quote(json.dumps(found[0]))}" if found else ""


def estimated():
    """What is to be trained, for an estimate: rows, seeds and problems of every arm."""
    return [
        {
            "arm": name,
            "backbone": row.backbone,
            "recipe": row.recipe,
            "rows": row.n * len(row.families),
            "seeds": int(row.seeds),
            "tests": sum(rows("test", family) for family in row.families),
        }
        for name, row in arms.iterrows()
        if name not in untrained
    ]


def rows(split, family):
    sizes = config["rows"][split]
    return sizes.get(family, sizes["default"])


artifacts = Run(
    results=f"results/{config['run']}",
    arms=arms,
    arms_file=config["arms"],
    eval_sets=tuple(eval_sets),
    published=here("config/published.csv"),
)


def needs(kind):
    """The input function of tables or figures, for the files of everything that a module needs."""

    def files(wildcards):
        needed = declared(kind, wildcards[kind]).needs
        return {need.removeprefix("tables/"): artifacts.files(need) for need in needed}

    return files


def module_code(kind):
    """The files that a table or figure is made with, its own module and no other among them."""
    return lambda wildcards: code(kind, more=[declared(kind, wildcards[kind]).module])


def caption(kind):
    """The caption of a table or figure for the report."""
    return lambda wildcards: f"{declared(kind, wildcards[kind]).caption}\n\nRun {config['run']}."
