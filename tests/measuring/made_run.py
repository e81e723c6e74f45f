"""A run without training: real puzzles, texts, grades and audits of completions that a planned model writes."""

import json
import os
import random
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from common.artifacts import read_table, write_table
from common.config import ARM_COLUMNS, IN_CONTEXT, read_yaml
from measuring import files
from measuring.inputs import Run, has_key, read_arms
from measuring.modules import declared, load, names
from puzzles.base import Problem, Solution, row_rng
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, SOLUTIONS, problem_row, solution_row
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import TEXTS, render_row, table_row
from reasoning.grammar.trace import CLOSE, OPEN, Malformed, parse_completion
from reasoning.judging.planted_errors import wrong_lines
from reasoning.registry import DESIGNS

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow_scripts"
Model = Callable[[dict, list[dict], random.Random], str]
"""What a planned model writes for a row of texts, with all rows of its table at hand."""
RECIPES = read_yaml(ROOT / "config/recipes.yaml")
CLOSURES = {"units/open": 0.0, "compute/open": 0.1, "full/open": 0.3, "full/given": 0.6}


def oracle(row: dict, rows: list[dict], rng: random.Random) -> str:
    """Follows its target to the letter."""
    return row["completion"]


def abstainer(row: dict, rows: list[dict], rng: random.Random) -> str:
    """Gives up at once, in the words of the designs that may."""
    query = row["prompt"].partition("\nKey:")[0].rpartition(": ")[2]
    glyphs = "".join(dict.fromkeys(query[:2] + query[3:5]))
    return f"{OPEN}\nundetermined: no digit for {glyphs}\n{CLOSE}"


def echo(row: dict, rows: list[dict], rng: random.Random) -> str:
    """Writes well-formed lines that agree with themselves, of another row."""
    return rows[(rows.index(row) + 1) % len(rows)]["completion"]


def coin(row: dict, rows: list[dict], rng: random.Random) -> str:
    """Copies and computes as its target does, and tosses a coin for every verdict."""
    design = DESIGNS[row["family"], row["design"]]
    texts = row["completion"].split("\n")
    for line in parse_completion(row["completion"], design):
        outcomes = getattr(line, "OUTCOMES", ())
        if len(outcomes) > 1:
            other = rng.choice([each for each in outcomes if each != line.verdict])
            told = replace(line, verdict=rng.choice((line.verdict, other)))
            texts[texts.index(line.text())] = told.text()
    return "\n".join(texts)


def miscounter(row: dict, rows: list[dict], rng: random.Random) -> str:
    """Copies as its target does, and gets every third thing wrong that it computes."""
    design = DESIGNS[row["family"], row["design"]]
    texts = row["completion"].split("\n")
    for line in parse_completion(row["completion"], design):
        own = {} if isinstance(line, Malformed) else line.roles
        computed = [name for name, role in own.items() if role and role.first == {"arithmetic"}]
        if computed and rng.random() < 1 / 3:
            for told in wrong_lines(line, rng.choice(computed), row["prompt"], rng):
                texts[texts.index(line.text())] = told.text()
    return "\n".join(texts)


def guesser(p: float) -> Model:
    """Boxes the answer on a share of the rows, another text elsewhere."""

    def write(row: dict, rows: list[dict], rng: random.Random) -> str:
        return f"{OPEN}\n{CLOSE}\n\\boxed{{{row['answer'] if rng.random() < p else 'no'}}}"

    return write


@dataclass
class Made:
    """A results folder and the rows of its table of arms."""

    folder: Path
    arms: Mapping[str, Mapping[str, str]]

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def run(self) -> Run:
        path = self.folder / "arms.tsv"
        return Run(str(self.results), read_arms(path), ("test",), str(path), str(ROOT / "config/published.csv"))

    def write_arms(self) -> None:
        columns = (*ARM_COLUMNS, "decoders")
        rows = ["\t".join(columns)] + ["\t".join(row[c] for c in columns) for row in self.arms.values()]
        (self.folder / "arms.tsv").write_text("\n".join(rows) + "\n")

    def part(self, folder: Path, arms: Sequence[str], decoders: Sequence[str] = ("greedy",)) -> "Made":
        """Some arms of this run as a run of its own, with its own tables."""
        part = Made(folder, {name: self.arms[name] | {"decoders": ",".join(decoders)} for name in arms})
        part.results.mkdir(parents=True)
        for each in self.results.iterdir():
            if each.name not in ("tables", "figures"):
                os.symlink(each, part.results / each.name)
        part.write_arms()
        return part

    def tables(self, *only: str) -> dict[str, pd.DataFrame]:
        """All tables or some, made in this process, in the order in which one needs another."""
        made = {}
        for name in (each for each in in_order() if not only or each in only):
            module, run = load("table", name), self.run
            made[name] = module.make(**{need.removeprefix("tables/"): run.read(need) for need in module.NEEDS})
            files.write(self.results / "tables", name, made[name])
        return made

    def figure(self, name: str):
        module = load("figure", name)
        return module.make(**{need.removeprefix("tables/"): self.run.read(need) for need in module.NEEDS})

    def script(self, name: str, *words: object) -> None:
        """Run a script as from the command line, in this process: importing the library takes seconds."""
        old, sys.argv = sys.argv, [f"{name}.py", *map(str, words)]
        try:
            runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
        finally:
            sys.argv = old


def in_order() -> list[str]:
    """All tables, each after those that it needs."""
    needs = {name: {n for n in declared("table", name).needs if n.startswith("tables/")} for name in names("table")}
    found: list[str] = []
    while left := [name for name in needs if name not in found]:
        found += [name for name in left if needs[name] <= {f"tables/{other}" for other in found}]
    return found


def arm(name: str, families: str, design: str, **changes: object) -> dict[str, str]:
    row = {"arm": name, "families": families, "design": design, "reveal": "0", "corruption": "none", "selection": "all",
           "n": 8, "backbone": "small", "recipe": "small", "seeds": 1, "decoders": "greedy"} | changes  # fmt: skip
    return {key: str(value) for key, value in row.items()}


def make(
    folder: Path, planned: Sequence[tuple[dict[str, str], Mapping[str, Model]]], n: int = 12, decoders=("greedy",)
) -> Made:
    """Write a whole run. planned: rows of the table of arms, each with its model per decoder."""
    made = Made(folder, {row["arm"]: row | {"decoders": ",".join(decoders)} for row, _ in planned})
    made.write_arms()
    run, out = made.run, made.results
    problems = {family: write_puzzles(out, family, n) for family in run.families}
    for row, models in planned:
        for family in row["families"].split(","):
            for split in ("train", "test"):
                path = Path(next(p for p in run.texts(row["arm"], split) if f"/texts/{family}/" in p))
                if not path.exists():
                    write_texts(path, problems[family][split], DESIGNS[family, row["design"]], row["reveal"], split)
        forward = [out / f"texts/{family}/forward/reveal-0/none/test.parquet" for family in run.with_forward()]
        for family, path in zip(run.with_forward(), forward, strict=True):
            if not path.exists():
                write_texts(path, problems[family]["test"], DESIGNS[family, "forward"], "0", "test")
        write_corpus(out, run, row)
        for seed in range(1, int(row["seeds"]) + 1):
            if row["recipe"] != IN_CONTEXT:
                write_training(out / f"adapters/{row['arm']}/seed-{seed}", row, len(planned))
                write_probe(out / f"probes/{row['arm']}/seed-{seed}/test.parquet", run.texts(row["arm"], "test"))
            for decoder in decoders:
                write_cell(made, run, row, seed, decoder, models.get(decoder, models["greedy"]))
    return made


def write_puzzles(out: Path, family: str, n: int) -> dict[str, list[tuple[Problem, Solution]]]:
    found = {}
    for split, seed in (("train", 1), ("test", 2)):
        problems = list(FAMILIES[family].generate(row_rng(seed, family), n))
        solved = []
        for problem in problems:
            keyed = has_key(family)  # no design of such a family reads the solution
            parsed = FAMILIES[family].parse(problem.prompt)
            solved.append(Solution(problem.answer, 1.0) if keyed else FAMILIES[family].solve(parsed))
        found[split] = list(zip(problems, solved, strict=True))
        rows = [problem_row(problem, split) for problem in problems]
        write_table(out / f"puzzles/{family}/{split}.parquet", rows, PUZZLES)
        rows = [solution_row(p.id, family, s) for p, s in found[split]]
        write_table(out / f"solutions/{family}/{split}.parquet", rows, SOLUTIONS)
    if has_key(family):
        closures = [
            {"id": p.id, "family": family, "stratum": p.stratum, "reveal": str(k), "closure": name,
             "settled": p.stratum == "join" or i < (share + 0.04 * k) * n, "by_chance": 0.01 + k / 137}
            for i, (p, _) in enumerate(found["test"]) for k in (0, 5, 10) for name, share in CLOSURES.items()
        ]  # fmt: skip
        write_table(out / f"closures/{family}/test.parquet", closures)
        ranks = [
            {
                "id": p.id,
                "family": family,
                "stratum": p.stratum,
                "hypotheses": 40,
                "rank": 1 + 3 * i % 20,
                "standing": 1 + i % 4,
            }
            for i, (p, _) in enumerate(found["test"])
        ]
        write_table(out / f"hypotheses/{family}/test.parquet", ranks)
    return found


def write_texts(path: Path, solved: Sequence[tuple[Problem, Solution]], design, reveal: str, split: str) -> None:
    rows = [
        table_row(
            render_row(p.id, p, s, design, Reveal.parse(reveal), 0, train=split == "train"),
            design,
            Reveal.parse(reveal),
        )
        for p, s in solved
    ]
    write_table(path, rows, TEXTS)


def write_corpus(out: Path, run: Run, row: Mapping[str, str]) -> None:
    rows = []
    for path in run.texts(row["arm"], "train"):
        rendered = [each for each in read_table(path).to_pylist() if each["status"] == "rendered"]
        rows += [{"role": "task", "hash": "", **each} for each in rendered]
    wanted = ("id", "family", "prompt", "completion", "answer", "stratum", "role", "n_chars", "hash")
    write_table(out / f"corpora/{row['arm']}/seed-1.parquet", [{name: each[name] for name in wanted} for each in rows])


def write_training(folder: Path, row: Mapping[str, str], n: int) -> None:
    folder.mkdir(parents=True)
    steps = [{"step": i, "loss": n / i, "tokens": 100, "tokens_per_s": 50.0, "peak_memory_mb": 9.0} for i in (1, 2)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    recipe = {"method": "lora", **RECIPES.get(row["recipe"], {})}
    made = {"backbone": row["backbone"], "recipe": recipe, "ranks": 1, "gpus": 0}
    made["run"] = {"trainable_parameters": 7, "rows": 30, "native_voice": 0.01, "hint_accuracy": None}
    (folder / "provenance.json").write_text(json.dumps(made))


def write_probe(path: Path, texts: Sequence[str]) -> None:
    """A character is a token, and the first of every third line is not what greedy decoding would write."""
    rows = []
    for told in (each for path in texts for each in read_table(path).to_pylist() if each["status"] == "rendered"):
        kinds = ["open", *(each["kind"] for each in told["lines"]), "close"]
        texts = told["completion"].split("\n")
        kinds += ["box"] * (len(texts) - len(kinds))
        for number, (kind, text) in enumerate(zip([*kinds, "end"], [*texts, ""], strict=True)):
            n = len(text) + 1
            kept = {name: told[name] for name in ("id", "family", "design", "reveal", "stratum")}
            rows.append(
                kept
                | {"line": number, "kind": kind, "n_tokens": n, "logprob": -0.1 * n, "n_first": n - (number % 3 == 2)}
            )
    write_table(path, rows)


def write_cell(made: Made, run: Run, row: Mapping[str, str], seed: int, decoder: str, model: Model) -> None:
    """Completions of one arm, seed and decoder, graded and audited by the real scripts."""
    name, rows = row["arm"], []
    for path in run.texts(name, "test"):
        texts = read_table(path).to_pylist()
        for sample in range(2 if decoder != "greedy" else 1):
            rng = random.Random(f"{name}{seed}{decoder}{sample}")
            kept = ("id", "family", "design", "reveal", "stratum", "prompt", "answer")
            rows += [
                {key: each[key] for key in kept} | {"sample": sample, "text": model(each, texts, rng)} for each in texts
            ]
    rows = [
        each
        | {
            "n_tokens": (n := len(each["text"])),
            "n_decoded": n,
            "finish": "stop",
            "logprob_sum": -0.1 * n,
            "notes": None,
        }
        for each in rows
    ]
    cell = f"{name}/seed-{seed}/{decoder}/test"
    completions = made.results / f"completions/{cell}.parquet"
    write_table(completions, rows)
    made.script("grade", "--completions", completions, "--out", made.results / f"grades/{cell}.parquet")
    audits = made.results / f"audits/{cell}"
    puzzles = [made.results / f"puzzles/{family}/test.parquet" for family in row["families"].split(",")]
    made.script(
        "audit", "--completions", completions, "--puzzles", *puzzles, "--texts", *run.texts(name, "test"),
        "--corpus", made.results / f"corpora/{name}/seed-1.parquet", "--out", f"{audits}.parquet",
        "--rows", f"{audits}.rows.parquet", "--kinds", f"{audits}.kinds.parquet",
    )  # fmt: skip


def words(figure) -> str:
    """Every text on a figure: titles, labels, legends, notes."""
    from matplotlib.text import Text

    return "\n".join(each.get_text() for each in figure.findobj(Text) if each.get_text())


def drawn(figure) -> set[float]:
    """Every coordinate of every line on a figure, rounded."""
    found = set()
    for axis in figure.axes:
        for each in axis.get_lines():
            found |= {round(float(v), 6) for v in (*each.get_xdata(), *each.get_ydata())}
    return found
