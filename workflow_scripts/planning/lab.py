"""What the rules ask: the configuration of a run, and for each job its files and settings."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from common.config import IN_CONTEXT
from learning.decoders import KINDS
from learning.engines import engine_of
from learning.methods import read_recipe
from learning.settings import BackboneOptions
from learning.shipped import shipped_files
from measuring.inputs import Run
from measuring.modules import declared
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Reveal
from reasoning.job_files import code

Wildcards = Any
"""The wildcards of a job, as Snakemake hands them over: attributes."""


@dataclass(frozen=True)
class Lab:
    """A checked configuration. Methods that take wildcards are input functions, or give params or resources.

    arms: the table of arms, indexed by arm. entries: backbones.yaml as it was written; backbones: the same, read.
    recipes, decoders: by their names. here: where a file of the project lies, seen from the working folder.
    """

    config: Mapping[str, Any]
    arms: pd.DataFrame
    entries: Mapping[str, Mapping]
    backbones: Mapping[str, BackboneOptions]
    recipes: Mapping[str, Mapping]
    decoders: Mapping[str, Mapping]
    here: Callable[[str], str]

    # --- the run ---

    @cached_property
    def phrases(self) -> list[str]:
        """Texts of the families' prompts that are single tokens of a backbone made here."""
        return sorted({phrase for family in FAMILIES.values() for phrase in family.phrases})

    @cached_property
    def families(self) -> list[str]:
        return self.artifacts.families

    @property
    def eval_sets(self) -> list[str]:
        return ["test", "real"] if self.config["benchmark_csv"] else ["test"]

    @property
    def orders(self) -> list[str]:
        """The orders in which digits are shown, as far as an arm needs them."""
        return list(dict.fromkeys(["uniform", *(Reveal.parse(text).order for text in self.arms.reveal)]))

    @cached_property
    def runs(self) -> list[dict]:
        """Every arm with each of its seeds."""
        return [{"arm": name, "seed": seed} for name, n in self.arms.seeds.items() for seed in range(1, n + 1)]

    @property
    def trainings(self) -> list[dict]:
        return [run for run in self.runs if self.arms.at[run["arm"], "recipe"] != IN_CONTEXT]

    @property
    def ranks(self) -> int:
        """Processes of a training."""
        return self.config["gpus"] or self.config["ranks"]

    @property
    def selections(self) -> list[str]:
        """The decoders that choose from the samples of another."""
        return [name for name, entry in self.decoders.items() if "of" in entry]

    @cached_property
    def artifacts(self) -> Run:
        """Where the artifacts lie that tables and figures are made from."""
        return Run(
            results=f"results/{self.config['run']}",
            arms=self.arms,
            arms_file=self.config["arms"],
            eval_sets=tuple(self.eval_sets),
            published=self.here("config/published.csv"),
        )

    def rows(self, split: str, family: str) -> int:
        sizes = self.config["rows"][split]
        return sizes.get(family, sizes["default"])

    # --- an arm's examples ---

    def recipe_of(self, wildcards: Wildcards) -> Mapping:
        """The training settings of an arm; none where nothing is trained."""
        return self.recipes.get(self.arms.at[wildcards.arm, "recipe"], {})

    def work_of(self, rule: str, wildcards: Mapping[str, str]) -> float:
        """How much work a job is, in a unit of its rule: a training's examples; else every job counts the same."""
        if rule != "train":
            return 1
        row = self.arms.loc[wildcards["arm"]]
        recipe = self.recipes[row.recipe]
        every_row = row.n * len(row.families) * recipe.get("epochs", 1)
        return max(1, recipe["updates"] * recipe["batch"] if recipe.get("updates") else every_row)

    def is_trained(self, wildcards: Wildcards) -> bool:
        return self.arms.at[wildcards.arm, "recipe"] != IN_CONTEXT

    def arm_texts(self, name: str, split: str, corruption: str = "none") -> list[str]:
        """The rendered texts of an arm's rows, one table per family."""
        row = self.arms.loc[name]
        tail = f"{row.design}/reveal-{row.reveal}/{corruption}/{split}.parquet"
        return [f"<results>/texts/{family}/{tail}" for family in row.families]

    @property
    def shortcut_screens(self) -> list[str]:
        """The shortcut screens of every text that an arm learns from."""
        texts = {path for name in self.arms.index for path in self.arm_texts(name, "train")}
        return sorted(
            path.replace("/texts/", "/shortcuts/").replace("/none/train.parquet", ".parquet") for path in texts
        )

    def arm_rendered(self, wildcards: Wildcards) -> list[str]:
        """The rendered texts that an arm learns from; with a source, only where its recipe mixes them in."""
        row = self.arms.loc[wildcards.arm]
        if row.source and not self.recipe_of(wildcards).get("rendered", 0):
            return []
        return self.arm_texts(wildcards.arm, "train", row.corruption)

    def arm_harvests(self, wildcards: Wildcards) -> list[str]:
        """The verified completions of the arm's source, of the same seed, one table per family."""
        row = self.arms.loc[wildcards.arm]
        kept = self.recipe_of(wildcards).get("harvest", "answer")
        tail = f"seed-{wildcards.seed}/{self.config['harvest']['decoder']}/{kept}"
        return [f"<results>/harvests/{row.source}/{tail}/{f}.parquet" for f in row.families if row.source]

    def arm_puzzles(self, name: str, split: str, folder: str = "puzzles") -> list[str]:
        """The problems (or their solutions) of an arm's families, one table each."""
        return [f"<results>/{folder}/{family}/{split}.parquet" for family in self.arms.at[name, "families"]]

    def arm_drills(self, name: str) -> list[str]:
        """The recall drills that an arm's recipe mixes in, one table per family."""
        drilled = self.recipes.get(self.arms.at[name, "recipe"], {}).get("drills", 0)
        return [f"<results>/drills/{family}.parquet" for family in self.arms.at[name, "families"] if drilled]

    @property
    def most_drills(self) -> int:
        """Drills per family, enough for every arm."""
        return max(self.recipes.get(name, {}).get("drills", 0) for name in self.arms.recipe)

    def n_examples(self, wildcards: Wildcards) -> int:
        """Training rows per family; in context, those of every seed."""
        row = self.arms.loc[wildcards.arm]
        n = row.n if self.is_trained(wildcards) else row.n * row.seeds
        return int(n)  # Snakemake compares no parameter of numpy's types with what a file was made with

    def corpus_code(self, wildcards: Wildcards) -> list[str]:
        """The files that make an arm's corpus; drills of lines ask the design what a line needs."""
        row = self.arms.loc[wildcards.arm]
        if self.recipe_of(wildcards).get("hint") != "line":
            return code("corpus")
        return code("corpus", family=row.families, design=row.design)

    def budget_of(self, name: str) -> int:
        """The new tokens of the arm's shortest decoder."""
        named = [self.decoders[decoder] for decoder in self.arms.at[name, "decoders"]]
        return min(self.decoders[each["of"]]["max_tokens"] if "of" in each else each["max_tokens"] for each in named)

    def rows_seed(self, wildcards: Wildcards) -> int:
        """What the choice of an arm's rows depends on: the same for all; of the training seed if the recipe redraws."""
        redrawn = self.recipe_of(wildcards).get("redraw", False)
        return self.config["seed"] + 1000 * int(wildcards.seed) * redrawn

    # --- training ---

    def backbone_of(self, wildcards: Wildcards) -> BackboneOptions:
        return self.backbones[self.arms.at[wildcards.arm, "backbone"]]

    def entry_of(self, name: str) -> str:
        """An entry of backbones.yaml for a script, as it was written."""
        return json.dumps(self.entries[name])

    def arm_entry(self, wildcards: Wildcards, threads: int) -> str:
        """The entry of the arm's backbone. As a function of `threads` it does not decide whether a job runs again."""
        return self.entry_of(self.arms.at[wildcards.arm, "backbone"])

    def local_files(self, wildcards: Wildcards) -> list[str]:
        """The files of a backbone that is a local folder; none of one that is made here or fetched."""
        folder = self.backbones[wildcards.backbone].path
        return [str(path) for path in shipped_files(folder)] if folder else []

    def backbone_file(self, wildcards: Wildcards) -> str:
        return f"<results>/backbones/{self.arms.at[wildcards.arm, 'backbone']}/config.json"

    def skills_file(self, wildcards: Wildcards) -> str:
        return f"<results>/backbones/{self.arms.at[wildcards.arm, 'backbone']}.skills.json"

    def making_gpus(self, wildcards: Wildcards) -> int:
        """Pretraining is for one GPU; a backbone that is fetched, linked or left as it starts needs none."""
        make = self.backbones[wildcards.backbone].make
        return min(self.config["gpus"], make.steps if make else 0, 1)

    def deepspeed_of(self, wildcards: Wildcards) -> str:
        """The DeepSpeed file of the backbone's stage; its name says whether the optimiser (in stage 3 also the
        weights) stays in the CPU's memory."""
        options = self.backbone_of(wildcards)
        return self.here(f"config/deepspeed/zero{options.zero_stage}{'-offload' * options.offload}.json")

    def method_code(self, wildcards: Wildcards) -> list[str]:
        """The files of a training by the arm's method, and those of what judges completions where it asks for that."""
        recipe, row = read_recipe(self.recipe_of(wildcards)), self.arms.loc[wildcards.arm]
        method = f"learning.methods.{recipe.method}"
        if not recipe.JUDGED:
            return code("train", more=[method])
        more = [method, "reasoning.judging.judges", "reasoning.judging.truths"]
        return code("train", family=row.families, design=row.design, more=more)

    def is_judged(self, wildcards: Wildcards) -> bool:
        """Whether the arm's method asks what its own completions are worth."""
        return read_recipe(self.recipe_of(wildcards)).JUDGED

    def judged_by(self, wildcards: Wildcards) -> list[str]:
        """The problems whose completions a method judges: their bare claims are held to what these hide."""
        splits = ("train", "test") if self.is_judged(wildcards) else ()
        return [path for split in splits for path in self.arm_puzzles(wildcards.arm, split)]

    def start_file(self, wildcards: Wildcards) -> str | list:
        """The adapter that a training starts from, of the same seed; none starts from the backbone."""
        start = self.arms.at[wildcards.arm, "start"]
        adapter = f"<results>/adapters/{start}/seed-{wildcards.seed}/adapter_model.safetensors"
        return adapter if start else []

    def followers(self, wildcards: Wildcards) -> int:
        """How many arms wait for an arm's adapter, directly or not: the more, the earlier it should be trained."""
        waiting, found = [wildcards.arm], -1
        while waiting:
            found += 1
            waiting.extend(self.arms.index[self.arms["start"] == waiting.pop()])
        return found

    # --- decoding ---

    def is_here(self, wildcards: Wildcards) -> bool:
        """Whether the arm's backbone is a folder here, not an endpoint or a baseline."""
        return self.backbone_of(wildcards).here

    def is_held_out(self, wildcards: Wildcards) -> bool:
        """Whether an evaluation set must share no row with the training examples."""
        return wildcards.eval_set != "train"

    def decoder_files(self, wildcards: Wildcards) -> list[str]:
        """The files of the arm's engine and of the decoder."""
        kind = self.decoders[wildcards.decoder]["kind"]
        return [f"learning.engines.{engine_of(self.backbone_of(wildcards))}", f"learning.decoders.{kind}"]

    def is_tutored(self, wildcards: Wildcards) -> bool:
        """Whether the decoder asks what a row's lines should be."""
        return KINDS[self.decoders[wildcards.decoder]["kind"]].TUTORED

    def sampling_code(self, wildcards: Wildcards) -> list[str]:
        """The files of the script that samples; for a decoder with a tutor, those that know the arm's lines, too."""
        if not self.is_tutored(wildcards):
            return code("sample", more=self.decoder_files(wildcards))
        row, more = self.arms.loc[wildcards.arm], [*self.decoder_files(wildcards), "reasoning.judging.tutor"]
        return code("sample", family=row.families, design=row.design, more=more)

    def choosing_code(self, wildcards: Wildcards) -> list[str]:
        """The files of the script that chooses; those that know the arm's lines only where samples are audited."""
        row, more = self.arms.loc[wildcards.arm], self.decoder_files(wildcards)[1:]
        if not KINDS[self.decoders[wildcards.decoder]["kind"]].JUDGED:
            return code("choose", more=more)
        return code("choose", family=row.families, design=row.design, more=[*more, "reasoning.judging.judges"])

    def tutored_by(self, folder: str) -> Callable[[Wildcards], list[str]]:
        """The input function for the tables that a tutor is made of, where the decoder asks for one."""
        return lambda wildcards: (
            self.arm_puzzles(wildcards.arm, wildcards.eval_set, folder) if self.is_tutored(wildcards) else []
        )

    def answers_of(self, wildcards: Wildcards) -> Mapping[str, Any]:
        """What decides the completions: who answers, and the decoder; rows share a batch only where a model is here."""
        decoder = self.decoders[wildcards.decoder]
        if not self.is_here(wildcards):
            decoder = {name: value for name, value in decoder.items() if name != "batch"}
        return self.backbone_of(wildcards).answers() | {"decoder": decoder}

    def decoding_gpus(self, wildcards: Wildcards) -> int:
        """vLLM spreads a model over all GPUs that a job may have; the other engines use one, endpoints and baselines
        none."""
        used = self.config["gpus"] if self.backbone_of(wildcards).engine == "vllm" else 1
        return min(self.config["gpus"], used) if self.is_here(wildcards) else 0

    def who(self, wildcards: Wildcards, input: Any) -> str:
        """The options of sample.py that say who completes: a backbone, its adapter, examples in the prompt."""
        options = f"--backbone {Path(input.backbone).parent}" if input.backbone else ""
        if input.adapter:
            return f"{options} --adapter {Path(input.adapter).parent}"
        return f"{options} --corpus {input.corpus} --shots {self.arms.at[wildcards.arm, 'n']}"

    # --- serving ---

    @property
    def engines(self) -> list[str]:
        """What parity.py compares: engines of a model here, and endpoints by their names in backbones.yaml."""
        return ["slots", "generate", "vllm", *(name for name, own in self.backbones.items() if own.endpoint)]

    def engine_name(self, name: str) -> str:
        """The engine itself, of one of `engines`."""
        return "endpoint" if name in self.backbones and self.backbones[name].endpoint else name

    def engine_files(self, wildcards: Wildcards) -> list[str]:
        """The files of the two engines, and of the decoder that they serve."""
        names = {self.engine_name(name) for name in (wildcards.one, wildcards.other)}
        return ["learning.decoders.greedy", *sorted(f"learning.engines.{name}" for name in names)]

    def engine_options(self, wildcards: Wildcards) -> str:
        """The options of parity.py that say which engines are compared."""
        names = (wildcards.one, wildcards.other)
        options = f"--engines {self.engine_name(names[0])} {self.engine_name(names[1])}"
        for name in names:
            if self.engine_name(name) == "endpoint":
                options += f" --endpoint {shlex.quote(json.dumps(self.entries[name]['endpoint']))}"
        return options

    @property
    def estimated(self) -> list[dict]:
        """What is to be trained or decoded here, for an estimate: rows, seeds and problems of every arm."""
        return [
            {
                "arm": name,
                "backbone": row.backbone,
                "recipe": row.recipe,
                "rows": int(row.n) * len(row.families),
                "seeds": int(row.seeds),
                "tests": sum(self.rows("test", family) for family in row.families),
            }
            for name, row in self.arms.iterrows()
            if self.backbones[row.backbone].here
        ]

    # --- tables and figures; kind: "table" or "figure", which is the name of the wildcard, too ---

    def needs(self, kind: str) -> Callable[[Wildcards], dict[str, list[str]]]:
        """The input function for the files of everything that a module needs."""

        def files(wildcards: Wildcards) -> dict[str, list[str]]:
            needed = declared(kind, wildcards[kind]).needs
            return {need.removeprefix("tables/"): self.artifacts.files(need) for need in needed}

        return files

    def module_code(self, kind: str) -> Callable[[Wildcards], list[str]]:
        """The files that a table or figure is made with, its own module and no other among them."""
        return lambda wildcards: code(kind, more=[declared(kind, wildcards[kind]).module])

    def caption(self, kind: str) -> Callable[[Wildcards], str]:
        """The caption of a table or figure for the report."""
        return lambda wildcards: f"{declared(kind, wildcards[kind]).caption}\n\nRun {self.config['run']}."
