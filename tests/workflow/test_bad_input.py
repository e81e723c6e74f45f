"""What a user can get wrong ends in one clear line that names file, row and field, and in nothing half-made."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config
from test_workflow import SMOKE, copy, edited, snakemake

import forked
from common.artifacts import write_table
from common.config import check, read_arms, read_yaml
from common.errors import LabError
from common.running import hold
from learning.methods import check_recipes
from learning.settings import read_backbones
from planning.checks import check_selection, read_lab
from puzzles.registry import FAMILIES
from reasoning.auxiliary.hints import HINTS
from reasoning.judging.corruption import CORRUPTIONS
from reasoning.registry import DESIGNS

ROOT = Path(__file__).resolve().parents[2]
PUZZLE = {"id": "a", "family": "numeral", "split": "train", "prompt": "x", "answer": "I", "stratum": "all", "tier": 0,
          "rule": "{}", "key": "{}", "canonical": "c"}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return copy(tmp_path_factory.mktemp("project"))


def refused(folder: Path, *words: str) -> str:
    """The one line that a plan is refused with."""
    done = snakemake(folder, "--dry-run", *words)
    text = done.stdout + done.stderr
    assert done.returncode != 0 and "Traceback" not in text, text
    lines = text.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("WorkflowError")) + 1]


def test_the_workflow_stops_before_planning_with_one_line(project):
    """The same checks as below, seen from the command line."""
    assert refused(project, "--config", "sed=3") == "--config: field sed: unknown key; did you mean 'seed'?"
    assert refused(project, "--config", "arms=none.tsv") == "--config: field arms: no such file: none.tsv"
    with edited(project / "config/smoke.yaml", lambda text: text + "dekoders: {}\n"):
        assert refused(project, *SMOKE) == "config/smoke.yaml: field dekoders: unknown key; did you mean 'decoders'?"
    row = (project / "config/arms.smoke.tsv").read_text().count("\n") + 1
    with edited(project / "config/arms.smoke.tsv", lambda text: text + GOOD.replace("derive", "derivee")):
        line = f"config/arms.smoke.tsv: row {row}, field design: unknown design 'derivee' for cryptarithm_deduce"
        assert refused(project, *SMOKE).startswith(line)
    wide = ("place:\n  {rank: 32", "place:\n  {rank: 64")
    with edited(project / "config/recipes.yaml", lambda text: text.replace(*wide)):
        assert refused(project) == "config/recipes.yaml: field first-place.rank: LoRA rank 64 is outside 1..32"


def complaint(value: dict, *files: Path) -> str:
    """What is said of a configuration."""
    with pytest.raises(LabError) as caught:
        check(value, FAMILIES, files)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ranks": "two"}, "field ranks: 'two' is not a whole number"),
        ({"ranks": 1.5}, "field ranks: 1.5 is not a whole number"),
        ({"ranks": True}, "field ranks: True is not a whole number"),
        ({"traces": {"My file": "a.csv"}}, "field traces: 'My file' is not a name of the form [a-z0-9-]+"),
        ({"traces": {"mine": 5}}, "field traces.mine: 5 is not the name of a file"),
        ({"traces": "mine.csv"}, "field traces: 'mine.csv' is not a mapping"),
        ({"ranks": 0}, "field ranks: 0 is not at least 1 (processes per training job on CPUs)"),
        ({"run": "Main run"},
         "field run: 'Main run' is not text of the form [a-z0-9-]+ (name of the folder under results/)"),
        ({"arms": "arms.csv"}, r"field arms: 'arms.csv' is not text of the form .+\.tsv (table of arms)"),
        ({"rows": {"trian": {"default": 3}}}, "field rows.trian: unknown key; did you mean 'train'?"),
        ({"rows": {"train": {"default": 1, "cypher": 3}, "test": {"default": 1}}},
         "field rows.train.cypher: unknown key; did you mean 'cipher'?"),
        ({"rows": {"train": {"default": 1}, "test": {"default": 0}}},
         "field rows.test.default: 0 is not a whole number from 1"),
        ({"rows": {"train": {"cipher": 1}, "test": {"default": 1}}},
         "field rows.train.default: missing key; expected the number of rows"),
        ({"rows": 5}, "field rows: 5 is not a mapping of settings"),
        ({"options": {"gravty": {}}}, "field options.gravty: unknown key; did you mean 'gravity'?"),
        ({"options": {"gravity": 5}}, "field options.gravity: 5 is not a mapping"),
        ({"decoding": {"batch": 1}}, "field decoding.max_tokens: missing key; expected new tokens per completion"),
        ({"threads": {"backbone": 1, "train": 1, "sample": 0}},
         "field threads.sample: 0 is not at least 1 (CPU threads of a job)"),
    ],
)  # fmt: skip
def test_configuration(tmp_path, change, message):
    default = ROOT / "config/default.yaml"
    assert complaint({**read_yaml(default), **change}, default) == f"--config: {message}"
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(change))
    expected = f"{own}: {message}" if "missing" not in message else f"--config: {message}"
    assert complaint({**read_yaml(default), **change}, default, own) == expected


def test_every_configuration_here_is_one():
    """Names of families stand in no list of their own: every family can have a size and options."""
    default = read_yaml(ROOT / "config/default.yaml")
    for file in sorted((ROOT / "config").glob("*.yaml")):
        if "run" in (own := read_yaml(file)):
            merged = deepcopy(default)
            update_config(merged, own)  # as Snakemake merges files
            check(merged, FAMILIES, [file])
    sizes = {"default": 1, **{family: 2 for family in FAMILIES}}
    more = {"rows": {"train": sizes, "test": sizes}, "options": {family: {} for family in FAMILIES}}
    check(default | more, FAMILIES, [])
    assert complaint(default | more | {"rows": {"train": sizes, "test": {**sizes, "riddle": 1}}}).endswith(
        f"unknown key; expected one of {', '.join(sorted(['default', *FAMILIES]))}"
    )


def test_a_recipe_with_an_unknown_key():
    recipes = read_yaml(ROOT / "config/recipes.yaml")
    for change, message in (
        ({"epoch": 3}, "epoch: unknown key; did you mean 'epochs'?"),
        ({"method": "lara"}, "method: unknown method 'lara'; did you mean 'lora'?"),
        ({"batch": 1.5}, "batch: 1.5 is not a whole number"),
        ({"lr": "high"}, "lr: 'high' is not a number"),
        ({"harvest": "lucky"}, "harvest: unknown harvest 'lucky'; expected answer, valid, solver, partial, repair"),
        ({"rendered": 1}, "rendered: 1 is outside [0, 1)"),
    ):
        with pytest.raises(LabError) as caught:
            check_recipes(recipes | {"study": recipes["study"] | change}, HINTS, "r.yaml")
        assert str(caught.value) == f"r.yaml: field study.{message}"
    with pytest.raises(LabError, match="field scratch.alpha: unknown key"):  # every parameter is trained, at no scale
        check_recipes({"scratch": recipes["scratch"] | {"alpha": 32}}, HINTS)
    with pytest.raises(LabError, match="field study.rank: missing key; expected a whole number"):
        check_recipes({"study": {k: v for k, v in recipes["study"].items() if k != "rank"}}, HINTS)


def refusal(entry: dict) -> str:
    """What is said of an entry of backbones.yaml."""
    with pytest.raises(LabError) as caught:
        read_backbones({"a": entry}, "b.yaml")
    return str(caught.value)


HUB = {"hub": "a/b", "revision": "0" * 40}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (HUB | {"dtyp": "float32"}, "field a.dtyp: unknown key; did you mean 'dtype'?"),
        (HUB | {"dtype": "fp8"}, "field a.dtype: unknown dtype 'fp8'; expected one of bfloat16, float16, float32"),
        (HUB | {"engine": "slot"}, "field a.engine: unknown engine 'slot'; did you mean 'slots'?"),
        (HUB | {"revision": "main"},
         "field a.revision: 'main' is not text of the form [0-9a-f]{40} (a commit, because a branch moves)"),
        ({"hub": "a/b"}, "field a.revision: a hub repository is named with its revision"),
        (HUB | {"targets": "q_proj"}, "field a.targets: 'q_proj' is not a list of texts"),
        (HUB | {"targets": []}, "field a.targets: no module gets LoRA"),
        (HUB | {"dtype": "float16", "compute": "bfloat16"}, "field a.compute: weights in float16 decide it"),
        (HUB | {"packing": "yes"}, "field a.packing: 'yes' is not true or false"),
        (HUB | {"zero_stage": 1},
         "field a.zero_stage: 1 is not at least 2 (what DeepSpeed shards, of config/deepspeed)"),
        (HUB | {"make": {}},
         "field a: a backbone has one of make, hub, path, endpoint, baseline; found make and hub"),
        ({}, "field a: a backbone has one of make, hub, path, endpoint, baseline; found none"),
        ({"make": 5}, "field a.make: 5 is not a mapping of settings"),
        ({"make": {"widht": 3}}, "field a.make.widht: unknown key; did you mean 'width'?"),
        ({"make": {"lr": "1e-3"}}, "field a.make.lr: '1e-3' is not a number; YAML reads it as text: an exponent needs"
                                   " a point and a sign, as in 1.0e-3, and no quotes"),
        ({"make": {}, "targets": ["q_proj", "lm_head"]},
         "field a.targets: the embeddings of a backbone made here are tied: an adapter on lm_head cannot be merged"),
        ({"endpoint": {"url": "http://a/v1"}}, "field a.endpoint.model: missing key; expected as the server names it"),
        ({"endpoint": {"url": "http://a/v1", "model": "m", "attempts": 0}},
         "field a.endpoint.attempts: 0 is not at least 1 (per row)"),
        ({"endpoint": {"url": "http://a/v1", "model": "m", "wait": float("nan")}},
         "field a.endpoint.wait: nan is not above 0 (seconds before the second attempt, then doubled)"),
        ({"baseline": "most-frequently"}, "field a.baseline: unknown baseline 'most-frequently'; did you mean"
                                          " 'most-frequent'?"),
    ],
)  # fmt: skip
def test_a_backbone_with_a_bad_field(entry, message):
    assert refusal(entry) == f"b.yaml: {message}"


def test_every_backbone_here_is_one():
    found = read_backbones(read_yaml(ROOT / "config/backbones.yaml"), "b.yaml")
    assert found["tiny"].make.width == 128 and found["small"].here and not found["most-frequent"].here
    assert found["llama-3b"].targets[0] == "q_proj" and found["local-server"].endpoint.concurrency == 8


def test_a_key_in_the_place_of_its_variable_is_not_repeated():
    entry = {"endpoint": {"url": "https://a.example/v1", "model": "m", "key": "sk-secret"}}
    assert refusal(entry).startswith("b.yaml: field a.endpoint.key: the value is not text of the form")
    entry = {"endpoint": {"url": "https://me:secret@a.example/v1", "model": "m"}}
    assert "secret" not in refusal(entry)
    entry = {"endpoint": {"url": "https://a.example/v1", "model": "m", "key": ["sk-secret"]}}
    assert refusal(entry) == "b.yaml: field a.endpoint.key: the value is not a text"


STUDY = json.dumps(read_yaml(ROOT / "config/recipes.yaml")["study"])
NO_REVEAL = (
    " is not a reveal; expected digits from 0 to 10, with -query-first or -answer-first from 1 to 9, with -given or"
    " -hidden, such as 5 or 5-query-first-given; or a slate of 1 to 9 keys, such as slate-8, slate-8-random or"
    " slate-8-none-50 (none right in 50 of 100 rows, not said for 20)"
)
ARMS = (ROOT / "config/arms.smoke.tsv").read_text().splitlines()
MIX_ROW = next(row for row, line in enumerate(ARMS, 1) if line.startswith("forward-mix\t"))
GOOD = "extra\tcryptarithm_deduce\tderive\t5\tnone\tall\t64\ttiny\tsmall\t1\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("derive", "derivee"), "unknown design 'derivee' for cryptarithm_deduce; did you mean 'derive'?"),
        (("cryptarithm_deduce", "cryptarithm_deduct"),
         "unknown family 'cryptarithm_deduct'; did you mean 'cryptarithm_deduce'?"),
        (("cryptarithm_deduce\tderive\t5", "cipher,cipher\tforward\t0"), "a family is named twice in 'cipher,cipher'"),
        (("\t5\t", "\t11\t"), f"'11'{NO_REVEAL}"),
        (("\t5\t", "\t-1\t"), f"'-1'{NO_REVEAL}"),
        (("\t5\t", "\t05\t"), f"'05'{NO_REVEAL}"),
        (("\t5\t", "\t5-given-query-first\t"), f"'5-given-query-first'{NO_REVEAL}"),
        (("\t5\t", "\t10-query-first\t"), f"'10-query-first'{NO_REVEAL}"),
        (("derive\t5", "honest-columns\t0-given"),
         "design honest-columns of cryptarithm_deduce can show 0 to 10 digits, rules derived; not 0-given"),
        (("\tall\t", "\tvlaue\t"), "unknown selection 'vlaue'; did you mean 'value'?"),
        (("\tall\t", "\t1-tap\t"), "unknown selection '1-tap'; expected one of alike, all, bad-10, diverse, easy,"
         " ends-55-30-15, ends-55-30-15-wrong-9, even, hard, join, long, right, short, tiers-1-2, value, wrong-19"),
        (("cryptarithm_deduce\tderive\t5\tnone\tall", "bit_manipulation\tpeel\t0\tnone\t1-tap"),
         "selection '1-tap': design peel tells no row of this stratum"),
        (("\tall\t", "\twrong-a\t"), "unknown selection 'wrong-a'; did you mean 'wrong-19'?"),
        (("\tall\t", "\tends-60-30-15\t"),
         "'ends-60-30-15' is no selection; expected three parts of 100, and no more wrong rows than bails"),
        (("\tall\t", "\tends-55-30-15\t"), "selection 'ends-55-30-15' is for designs with lines of kind chain/split"),
        (("\tall\t", "\tbad-10\t"), "selection 'bad-10' is for designs with lines of kind study/bad"),
        (("cryptarithm_deduce\tderive\t5\tnone\tall", "numeral\tforward\t0\tnone\teven"),
         "selection 'even' is for families whose query has a rule, such as cryptarithms"),
        (("tiny", "tinny"), "unknown backbone 'tinny'; did you mean 'tiny'?"),
        (("small", "smal"), "unknown recipe 'smal'; did you mean 'small'?"),
        (("none", "shufle"), "unknown corruption 'shufle'; did you mean 'shuffle'?"),
        (("extra", "forward-mix"), f"duplicate arm 'forward-mix', already on row {MIX_ROW}"),
        (("extra", "Extra!"), "'Extra!' is not made of a-z, 0-9 and '-'"),
        (("\t64\t", "\tmany\t"), "'many' is not a whole number from 1 to 10000000"),
        (("\tsmall\t1\n", "\tsmall\n"), "9 cells, expected 10 to 13"),
        (("tiny", "most-frequent"), "recipe small trains, backbone most-frequent cannot be; expected in-context"),
        (("\t64\t", "\t0\t"), "'0' is not a whole number from 1 to 10000000"),
        (("cryptarithm_deduce\tderive\t5", "cipher\tforward\t5"),
         "design forward of cipher can show 0 digits, rules derived; not 5"),
    ],
)  # fmt: skip
def test_arms_table(tmp_path, change, message):
    path = tmp_path / "arms.tsv"
    path.write_text("\n".join([*ARMS, GOOD.replace(*change)]))
    with pytest.raises(LabError) as caught:
        arms_of(path)
    assert str(caught.value).endswith(f": {message}")
    assert caught.value.row == len(ARMS) + 1 and caught.value.file == path
    named = {"design": "design ", "families": "family", "reveal": "digits", "backbone": "backbone", "recipe": "recipe",
             "corruption": "corruption", "selection": "selection", "n": "10000000", "arm": "a-z"}  # fmt: skip
    if caught.value.field:
        assert named[caught.value.field] in message or caught.value.field in message


ROUND = (
    "round\tcryptarithm_deduce\tderive\t10\tnone\tall\t8\ttiny\tsmall\t1\tderive-reveal-10\tderive-reveal-10\tgreedy\n"
)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (("\tderive-reveal-10\tderive", "\tderive-reveal-1\tderive"), "source",
         "'derive-reveal-1' is no arm above this row; did you mean 'derive-reveal-10'?"),
        (("\tderive-reveal-10\tderive", "\tround\tderive"), "source", "'round' is no arm above this row"),
        (("\tderive-reveal-10\tgreedy", "\tlater\tgreedy"), "start", "'later' is no arm above this row"),
        (("tiny", "small"), "source", "arm derive-reveal-10 has backbone tiny, this one small; expected the same"),
        (("\t10\t", "\t5\t"), "source", "arm derive-reveal-10 has reveal 10, this one 5; expected the same"),
        (("derive\t10", "search\t10"), "source", "arm derive-reveal-10 has design derive, this one search"),
        (("cryptarithm_deduce", "cryptarithm_guess"), "source",
         "arm derive-reveal-10 knows cryptarithm_deduce, not cryptarithm_guess"),
        (("\tnone\t", "\tswap\t"), "source", "corruption swap is for rendered texts, not for the completions of arm"),
        (("\t1\t", "\t3\t"), "source", "arm derive-reveal-10 has 1 seed(s), this one 3; each seed needs its own"),
        (("small", "in-context"), "source", "recipe in-context does not train, so the arm has no source"),
        (("small", "scratch"), "start", "has rank 32, this one of nothing; expected the same"),
        (("small", "study"), "start", "the recipe of arm derive-reveal-10 has alpha 64, this one 32"),
        (("greedy", "gready"), "decoders", "unknown decoder 'gready'; did you mean 'greedy'?"),
        (("greedy", "greedy,greedy"), "decoders", "a decoder is named twice in 'greedy,greedy'"),
    ],
)  # fmt: skip
def test_arms_that_name_arms(tmp_path, change, field, message):
    path, later = tmp_path / "arms.tsv", ROUND.replace("round\t", "later\t")
    path.write_text("\n".join([*ARMS, ROUND]))
    assert arms_of(path).loc["round", ["source", "start", "decoders"]].tolist() == [
        *["derive-reveal-10"] * 2,
        ("greedy",),
    ]
    path.write_text("\n".join([*ARMS, ROUND.replace(*change) + later]))
    with pytest.raises(LabError) as caught:
        arms_of(path)
    assert caught.value.field == field and message in str(caught.value) and caught.value.row == len(ARMS) + 1


def test_a_decoder_that_may_cut_a_thought_short(project, tmp_path):
    """As far as planning can know: where a token is a character."""
    (tmp_path / "short.yaml").write_text("decoding: {max_tokens: 1029}\n")
    found = refused(project, *SMOKE, str(tmp_path / "short.yaml"))
    assert found == (
        "field decoding.max_tokens: decoder greedy of arm derive-reveal-10 writes at most 1029 tokens, here characters;"
        " a thought may have 1000, with its frame 1030"
    )


def test_an_arm_of_a_backbone_that_cannot_serve_the_decoder(tmp_path):
    path = tmp_path / "arms.tsv"
    row = "m\tnumeral\tforward\t0\tnone\tall\t64\tmost-frequent\tin-context\t1\t\t\tgreedy,sample-8\n"
    path.write_text("\n".join([*ARMS, row]))
    with pytest.raises(LabError, match="field decoders: decoder sample-8 needs what backbone most-freq"):
        arms_of(path)
    path.write_text("\n".join([*ARMS, row]).replace("\tsource\tstart", "\tstart\tsorce"))
    with pytest.raises(LabError, match="row 1: expected the columns .*, then any of source, start, decoders"):
        arms_of(path)


def test_arms_table_without_its_columns(tmp_path):
    path = tmp_path / "arms.tsv"
    path.write_text((ROOT / "config/arms.smoke.tsv").read_text().replace("families\tdesign", "family\tdesign"))
    with pytest.raises(LabError, match="row 1: expected the columns arm, families"):
        arms_of(path)
    path.write_text("")
    with pytest.raises(LabError, match="row 1: expected the columns"):
        arms_of(path)


def arms_of(path: Path):
    return read_arms(
        path,
        designs={key: design.reveal for key, design in DESIGNS.items()},
        backbones=read_backbones(read_yaml(ROOT / "config/backbones.yaml"), "backbones.yaml"),
        recipes=read_yaml(ROOT / "config/recipes.yaml"),
        corruptions=CORRUPTIONS,
        selections=check_selection,
        decoders={
            **{name: lambda backbone: [] for name in read_yaml(ROOT / "config/decoders.yaml")},
            "sample-8": lambda backbone: ["draws"] if backbone.baseline else [],
        },
        harvest="sample-8",
    )


def test_a_benchmark_file_that_is_not_there(project, tmp_path):
    """Snakemake would ask for it only where something has still to be made of it."""
    gone = tmp_path / "rows.csv"
    target = "results/smoke/puzzles/cipher/real.parquet"
    (project / target).parent.mkdir(parents=True)
    (project / target).touch()
    expected = f"field benchmark_csv: no such file: {gone}"
    assert refused(project, target, *SMOKE, "--config", f"benchmark_csv={gone}") == f"--config: {expected}"
    with edited(project / "config/smoke.yaml", lambda text: text + f"benchmark_csv: {gone}\n"):
        assert refused(project, target, *SMOKE) == f"config/smoke.yaml: {expected}"
    (project / target).unlink()


def test_a_configuration_changes_single_recipes():
    files = [ROOT / "config/default.yaml", ROOT / "config/improve-small.yaml"]
    config, usual = read_yaml(files[0]), read_yaml(ROOT / "config/recipes.yaml")
    update_config(config, read_yaml(files[1]))
    changed = read_lab(deepcopy(config), files, lambda path: str(ROOT / path)).recipes
    assert changed["star"] == usual["star"] | {"updates": 20} and changed["small"] == usual["small"]
    config["recipes"]["star"]["updats"] = 3
    with pytest.raises(LabError, match=r"config/recipes\.yaml: field star\.updats: unknown"):
        read_lab(config, files, lambda path: str(ROOT / path))


def test_a_training_whose_only_step_would_be_of_the_warm_up():
    file = ROOT / "config/default.yaml"
    config, place = read_yaml(file), lambda path: str(ROOT / path)
    config["recipes"] = {"small": {"batch": 5001}}
    message = "10000 rows in batches of 5001: the only step is the warm-up's first, at a rate of 0"
    with pytest.raises(LabError, match=rf"config/recipes\.yaml: field warmup: arm steps of recipe small: {message}$"):
        read_lab(deepcopy(config), [file], place)
    config["recipes"]["small"]["batch"] = 5000
    read_lab(config, [file], place)


def test_an_arm_with_more_examples_than_its_updates_see():
    files, place = [ROOT / "config/default.yaml", ROOT / "config/improve.yaml"], lambda path: str(ROOT / path)
    config = read_yaml(files[0])
    update_config(config, read_yaml(files[1]))
    read_lab(deepcopy(config), files, place)
    config["recipes"]["few"] = {"updates": 249}
    message = "249 updates of 4 see 996 examples, not 1000; more updates, or a smaller n"
    expected = rf"config/recipes\.yaml: field updates: arm few-whole-1000 of recipe few: {message}$"
    with pytest.raises(LabError, match=expected):
        read_lab(config, files, place)


def test_texts_from_elsewhere_that_are_not_there_or_are_called_like_an_arm(tmp_path):
    default, own = ROOT / "config/default.yaml", tmp_path / "own.yaml"

    def told(traces: dict) -> str:
        own.write_text(yaml.safe_dump({"traces": traces}))
        with pytest.raises(LabError) as caught:
            read_lab({**read_yaml(default), "traces": traces}, [default, own], lambda path: str(ROOT / path))
        return str(caught.value)

    assert told({"mine": "gone.csv"}) == f"{own}: field traces.mine: no such file: gone.csv"
    assert told({"search": str(default)}) == "field traces.search: an arm is called so, too"


def test_a_local_backbone_that_is_not_there_or_not_whole(project, tmp_path):
    entry = "dtype: float32, attention: packed, packing: true, zero_stage: 2, targets: [q_proj]}\n"
    place = f"config/backbones.yaml: field tiny.path: {tmp_path / 'model'}: "
    words = (re.compile(r"^tiny:\n( .*\n)+", re.M), f"tiny: {{path: {tmp_path / 'model'}, {entry}")
    with edited(project / "config/backbones.yaml", lambda text: words[0].sub(words[1], text)):
        assert refused(project, *SMOKE) == f"{place}no such folder"
        (tmp_path / "model").mkdir()
        assert refused(project, *SMOKE) == f"{place}missing config.json, not a complete model folder"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("seed=1e3", "field seed: 1000.0 is not a whole number"),
        ("rows={test: {default: 7}}", "field rows.test.default: '7' is not a whole number from 1; inside braces"
         " --config takes every value as text: put it into a file for --configfile"),
    ],
)  # fmt: skip
def test_numbers_on_the_command_line(project, given, message):
    assert refused(project, "--config", given) == f"--config: {message}"


def test_an_exponent_that_yaml_reads_as_text(tmp_path):
    file = tmp_path / "recipes.yaml"
    recipe = (ROOT / "config/recipes.yaml").read_text().replace("lr: 0.003", "lr: 3e-3")
    file.write_text(recipe)
    with pytest.raises(LabError) as caught:
        check_recipes(read_yaml(file), HINTS, file)
    assert str(caught.value) == (
        f"{file}: field small.lr: '3e-3' is not a number; YAML reads it as text: an exponent needs a point and a sign,"
        " as in 1.0e-3, and no quotes"
    )
    file.write_text(recipe.replace("3e-3", "3.0e-3"))
    check_recipes(read_yaml(file), HINTS, file)


def test_files_as_a_spreadsheet_or_an_editor_saves_them(tmp_path):
    text, path = (ROOT / "config/arms.smoke.tsv").read_text(), tmp_path / "arms.tsv"
    plain = arms_of(ROOT / "config/arms.smoke.tsv")
    for data in (text.encode("utf-8-sig"), text.replace("\n", "\r\n").encode()):
        path.write_bytes(data)
        assert arms_of(path).equals(plain)
    path.write_bytes(text.encode("utf-16"))
    for read in (arms_of, read_yaml):
        with pytest.raises(LabError, match=r"arms.tsv: not UTF-8 text \(.*\); save it as UTF-8"):
            read(path)
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path) == {"a": 1}


def test_benchmark_rows_stop_the_workflow_with_their_place(project, tmp_path):
    """As the script says it; see tests/puzzles/test_importer.py for all that can be wrong."""
    csv = tmp_path / "rows.csv"
    csv.write_text("id,prompt,answer\n1,a prompt of no family,3\n")
    target = "results/smoke/puzzles/cipher/real.parquet"
    done = snakemake(project, target, *SMOKE, "--config", f"benchmark_csv={csv}")
    errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("error: ")]
    assert done.returncode != 0 and "row 1, field prompt" in errors[0] and "rows.csv" in errors[0]
    assert not (project / target).exists()


def script(*words: object) -> subprocess.CompletedProcess:
    return forked.run(ROOT / "workflow_scripts" / words[0], *words[1:], cwd=ROOT, timeout=120)


def test_truncated_and_empty_tables_name_the_file(tmp_path):
    whole = tmp_path / "p.parquet"
    write_table(whole, [PUZZLE] * 50)
    for name, data in (("cut", whole.read_bytes()[:-40]), ("empty", b"")):
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(data)
        for command in (
            ("fit_prior.py", "--puzzles", path, "--family", "numeral"),
            ("solve.py", "--puzzles", path, "--family", "numeral"),
            ("leaks.py", "--corpus", path, "--puzzles", whole, "--held-out", whole),
            ("grade.py", "--completions", path),
        ):
            done = script(*command, "--out", tmp_path / "out")
            assert done.returncode == 1 and done.stderr.startswith(f"error: {path}: "), done.stderr
            assert done.stderr.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_missing_column_is_named(tmp_path):
    write_table(tmp_path / "p.parquet", [{"id": "a"}])
    done = script("grade.py", "--completions", tmp_path / "p.parquet", "--out", tmp_path / "o")
    assert done.returncode == 1 and "p.parquet: missing column(s) " in done.stderr


def test_a_missing_backbone_folder_is_named(tmp_path):
    write_table(tmp_path / "c.parquet", [{"id": "a", "prompt": "p", "completion": "c"}])
    done = script("train.py", "--corpus", tmp_path / "c.parquet", "--backbone", tmp_path / "nowhere",
                  "--out", tmp_path / "out", "--state", tmp_path / "state", "--recipe", STUDY)  # fmt: skip
    assert done.returncode == 1 and f"error: {tmp_path}/nowhere: no such backbone folder" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_rank_above_the_limit_is_refused_by_the_script_too(tmp_path):
    done = script("train.py", "--corpus", "c", "--backbone", "b", "--out", tmp_path / "out",
                  "--state", tmp_path / "state", "--recipe", json.dumps(json.loads(STUDY) | {"rank": 64}))  # fmt: skip
    assert done.returncode == 1 and "field rank: LoRA rank 64 is outside 1..32" in done.stderr


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full here")
def test_a_full_disk_leaves_no_table(tmp_path, monkeypatch):
    """The table goes to a temporary name first; when that cannot be written, the old table stays."""
    code = (
        "import sys; sys.path.insert(0, 'workflow_scripts')\n"
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from common import cli; from common.artifacts import write_table\n"
        f"cli.run(lambda: write_table({str(tmp_path / 't.parquet')!r}, [{{'x': str(i**9)}} for i in range(9999)]))\n"
    )
    write_table(tmp_path / "t.parquet", [{"x": "old"}])
    before = (tmp_path / "t.parquet").read_bytes()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert (tmp_path / "t.parquet").read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_a_killed_snakemake_does_not_stop_the_next(tmp_path):
    """Its lock stays behind. As long as it lives nobody else may start; then the next one goes on."""
    folder = copy(tmp_path)
    target = "results/smoke/puzzles/cipher/test.parquet"
    slow = "import pathlib, time\npathlib.Path('started').touch()\n"
    slow += "while not pathlib.Path('go').exists():\n    time.sleep(0.1)\n"
    with edited(folder / "workflow_scripts/generate.py", lambda text: slow + text):
        words = [sys.executable, "-m", "snakemake", target, "--cores", "1", *SMOKE]
        first = subprocess.Popen(words, cwd=folder, stderr=subprocess.DEVNULL, start_new_session=True)
        while not (folder / "started").exists():
            assert first.poll() is None
            time.sleep(0.1)
        assert snakemake(folder, "--dry-run", *SMOKE).returncode == 0  # looks, and leaves the lock
        second = snakemake(folder, target, *SMOKE)
        assert second.returncode != 0 and "--unlock" in second.stdout + second.stderr
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        (folder / "go").touch()
    assert list((folder / ".snakemake/locks").iterdir()) and not (folder / target).exists()
    done = snakemake(folder, target, *SMOKE)
    assert done.returncode == 0 and (folder / target).exists(), done.stdout + done.stderr
    assert not list((folder / ".snakemake/locks").glob("*"))


def test_the_lock_of_another_machine_stays(tmp_path):
    lock = tmp_path / "locks" / "0.input.lock"
    lock.parent.mkdir()
    lock.touch()
    (tmp_path / "alive").write_text("elsewhere")
    for _ in range(2):  # the second time it is not taken for this machine's own either
        hold(tmp_path).close()
        assert lock.exists()
    lock.unlink()
    hold(tmp_path).close()
    lock.touch()  # as this machine's Snakemake would
    hold(tmp_path).close()
    assert not lock.exists()


def test_a_killed_run_keeps_what_was_made_and_goes_on(tmp_path):
    """A job that dies leaves no output of its own and all earlier ones; the next run makes only what is missing."""
    folder = copy(tmp_path)
    targets = [f"results/smoke/puzzles/numeral/{split}.parquet" for split in ("train", "test")]
    assert snakemake(folder, targets[0], *SMOKE).returncode == 0
    with edited(folder / "workflow_scripts/generate.py", lambda text: text):
        stamp = (folder / targets[0]).stat().st_mtime_ns
        command = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
        with edited(folder / "workflow_scripts/puzzles/cipher.py", lambda text: command + text.split('"""', 2)[2]):
            done = snakemake(folder, targets[1], "results/smoke/puzzles/cipher/test.parquet", *SMOKE)
            assert done.returncode != 0
    assert not (folder / "results/smoke/puzzles/cipher/test.parquet").exists()
    done = snakemake(folder, *targets, "results/smoke/puzzles/cipher/test.parquet", *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / targets[0]).stat().st_mtime_ns == stamp
