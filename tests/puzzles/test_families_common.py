"""What every family must have: reproducible rows, true answers, strict grading, splits that share nothing, goldens."""

import json
import os
import random
from pathlib import Path

import pytest

from common.artifacts import file_hash, read_table, write_table
from common.errors import LabError
from generate import options_of, problems
from puzzles import bench, fidelity
from puzzles.base import PromptError, row_rng, split_of
from puzzles.checker import grade, official
from puzzles.equations.prompt import DIGIT_GLYPHS
from puzzles.importer import read_problems
from puzzles.registry import FAMILIES, family_of
from puzzles.tables import PUZZLES, problem_row

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "puzzles.json"
NINE = (
    "numeral unit_conversion gravity cipher bit_manipulation equation_numeric_deduce equation_numeric_guess "
    "cryptarithm_deduce cryptarithm_guess"
).split()
STRATA = {"join", "value", "1-tap", "2-tap", "3-tap", "all"}
every_family = pytest.mark.parametrize("name", FAMILIES)


def rows(name, n, seed=0, **options):
    return list(FAMILIES[name].generate(row_rng(seed, name), n, **options))


def test_the_nine_families_come_first():
    assert list(FAMILIES)[:9] == NINE and all(family.name == name for name, family in FAMILIES.items())
    assert [name for name in NINE if FAMILIES[name].has_key] == ["cryptarithm_deduce", "cryptarithm_guess"]


@every_family
def test_same_seed_same_rows_other_seed_other_rows(name):
    first, again, other = rows(name, 60), rows(name, 60), rows(name, 60, seed=1)
    assert first == again
    assert rows(name, 30) == first[:30], "a longer table starts with the shorter one"
    assert not {p.prompt for p in first} & {p.prompt for p in other}


@every_family
def test_same_seed_same_bytes(name, tmp_path):
    hashes = set()
    for i in range(2):
        path = tmp_path / f"{i}.parquet"
        write_table(path, [problem_row(p, "train") for p in problems(name, "train", 40, 7, {})], PUZZLES)
        hashes.add(file_hash(path))
    assert len(hashes) == 1
    table = read_table(path).to_pylist()
    assert len({row["id"] for row in table}) == 40 and all(json.loads(row["rule"]) for row in table)
    assert {bool(json.loads(row["key"])) for row in table} == {name.startswith("cryptarithm")}


@every_family
def test_format(name):
    family = FAMILIES[name]
    for problem in rows(name, 60):
        prompt = problem.prompt
        assert prompt.isascii() and prompt == prompt.strip() and "\r" not in prompt
        assert ("\n\n" in prompt) == (name == "bit_manipulation")
        assert all(phrase in prompt for phrase in family.phrases)
        assert problem.stratum in STRATA and problem.answer
        assert family_of(prompt) == name == problem.family
        assert problem.canonical == family.canonical(family.parse(prompt))


@every_family
def test_solver_is_right_where_the_row_is_determined(name):
    determined = 0
    for problem in rows(name, 150, seed=2):
        solution = FAMILIES[name].solve(FAMILIES[name].parse(problem.prompt))
        assert 0 < solution.posterior <= 1 + 1e-9
        assert dict(solution.answers)[solution.answer] == pytest.approx(solution.posterior)
        assert sum(share for _, share in solution.answers) <= 1 + 1e-9
        if solution.exhaustive and solution.posterior > 1 - 1e-9:
            determined += 1
            assert solution.answer == problem.answer
    assert determined or name.endswith("guess")


@every_family
def test_strict_grade_takes_nothing_but_the_answer(name):
    for problem in rows(name, 60, seed=3):
        answer = problem.answer
        assert grade(f"<think>\n</think>\n\\boxed{{{answer}}}", answer).strict
        swapped = answer[:-1] + ("7" if answer[-1] != "7" else "8")
        for wrong in {answer[:-1], answer[1:], swapped, answer + answer[-1], f" {answer}", f"{answer} ", f"{answer}."}:
            assert not grade(f"\\boxed{{{wrong}}}", answer).strict
        assert not grade(answer, answer).strict and grade(answer, answer).failure == "no-box"
        for empty in ("", "\\boxed{}", "\\boxed{ }"):
            result = grade(empty, answer)
            assert not result.strict and not result.official and not result.boxed
        if not answer.replace(".", "").isdigit() or not answer.strip("01"):
            assert not grade(f"\\boxed{{{swapped}}}", answer).official
            assert not grade(f"\\boxed{{{answer[:-1]}}}", answer).official


@every_family
def test_order_of_examples_is_not_part_of_a_problem(name):
    family, rng = FAMILIES[name], random.Random(4)
    header = {"bit_manipulation": 3}.get(name, 1)
    for problem in rows(name, 40, seed=4):
        lines = problem.prompt.split("\n")
        end = len(lines) - (2 if name == "bit_manipulation" else 1)
        examples = rng.sample(lines[header:end], end - header)
        turned = "\n".join([*lines[:header], *examples, *lines[end:]])
        assert family.canonical(family.parse(turned)) == problem.canonical
        assert split_of(problem.canonical) in ("train", "test")


@pytest.mark.parametrize("name", ["cryptarithm_deduce", "cryptarithm_guess", "cipher"])
def test_names_of_glyphs_and_letters_are_not_part_of_a_problem(name):
    family, rng = FAMILIES[name], random.Random(5)
    for problem in rows(name, 40, seed=5):
        prompt = problem.prompt
        if name == "cipher":
            letters = "abcdefghijklmnopqrstuvwxyz"
            table = str.maketrans(letters, "".join(rng.sample(letters, 26)))
            head, *lines, query = prompt.split("\n")
            lines = [" -> ".join((code.translate(table), plain)) for code, plain in (x.split(" -> ") for x in lines)]
            asked, code = query.split(": ")
            turned = "\n".join([head, *lines, f"{asked}: {code.translate(table)}"])
        else:
            table = str.maketrans(DIGIT_GLYPHS, "".join(rng.sample(DIGIT_GLYPHS, len(DIGIT_GLYPHS))))
            head, *lines, query = prompt.split("\n")
            pairs = [line.split(" = ") for line in lines]
            lines = [" = ".join(side.translate(table) for side in pair) for pair in pairs]
            asked, code = query[: query.index(": ") + 2], query[query.index(": ") + 2 :]
            turned = "\n".join([head, *lines, asked + code.translate(table)])
        assert turned != prompt and family.canonical(family.parse(turned)) == problem.canonical


@every_family
def test_splits_share_no_problem(name):
    train, test = problems(name, "train", 150, 1, {}), problems(name, "test", 40, 1, {})
    other = problems(name, "train", 60, 2, {})
    canonical = [p.canonical for p in train]
    assert len(set(canonical)) == 150 and len({p.canonical for p in test}) == 40
    assert not {p.canonical for p in [*train, *other]} & {p.canonical for p in test}
    key = FAMILIES[name].split_by
    assert all(split_of(key(p)) == "train" for p in train) and all(split_of(key(p)) == "test" for p in test)


def test_no_training_row_asks_for_a_number_that_a_test_row_asks_for():
    train, test = (problems("numeral", split, 60, 3, {}) for split in ("train", "test"))
    assert not {p.answer for p in train} & {p.answer for p in test}


@every_family
def test_different_problems_have_different_canonical_forms(name):
    drawn = rows(name, 150, seed=6)
    assert len({p.canonical for p in drawn}) == len({p.prompt for p in drawn})


@pytest.mark.parametrize("name", [name for name in NINE if "equation" not in name])
def test_a_higher_tier_costs_the_solver_more(name):
    family, by_tier = FAMILIES[name], {}
    for problem in rows(name, 300, seed=8):
        by_tier.setdefault(problem.tier, []).append(family.solve(family.parse(problem.prompt)).nodes)
    means = [sum(nodes) / len(nodes) for tier, nodes in sorted(by_tier.items()) if len(nodes) >= 15]
    assert len(means) >= 3 and means == sorted(means)


@every_family
def test_nonsense_options_are_refused(name):
    for text in ("{", "[]", '{"colour": 1}'):
        with pytest.raises(LabError, match="--options"):
            options_of(name, text)
    assert options_of(name, "{}") == {}


@pytest.mark.parametrize(
    "prompt", ["", "In Alice's Wonderland", "What is 2 + 2?", " " + "In Alice's Wonderland, numbers"]
)
def test_prompt_of_no_family(prompt):
    with pytest.raises(PromptError, match="no family"):
        family_of(prompt)


@every_family
def test_golden_rows(name):
    """A change of these rows changes every table that was drawn before. To keep new ones:

    WRITE_GOLDENS=1 pytest tests/puzzles/test_families_common.py -n 0
    """
    drawn = [{"prompt": p.prompt, "answer": p.answer, "canonical": p.canonical} for p in rows(name, 2)]
    kept = json.loads(GOLDENS.read_text(encoding="utf-8"))
    if os.environ.get("WRITE_GOLDENS"):
        kept[name] = drawn
        GOLDENS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    assert drawn == kept.get(name)


def test_fidelity_finds_a_planted_difference():
    drawn = rows("cipher", 300) + rows("gravity", 300)
    same = fidelity.report(rows("cipher", 200, seed=2) + rows("gravity", 200, seed=2), drawn)
    assert not same.differs.any() and set(same.family) == {"cipher", "gravity"}
    other = fidelity.report(rows("cipher", 200, seed=2, examples=[5]) + rows("gravity", 200, seed=2), drawn)
    assert set(other[other.differs].family) == {"cipher"} and "examples" in set(other[other.differs].statistic)
    assert fidelity.text(other).index("DIFFER\ncipher") > 0 and "DIFFER: none" in fidelity.text(same)


def test_bench_measures_every_family():
    drawn = [(p.id, p) for name in FAMILIES for p in rows(name, 12, seed=9)]
    measured = bench.measure(drawn, {})
    assert len(measured) == 12 * len(FAMILIES) and (measured.ms > 0).all()
    assert tuple(measured.columns[:-1]) == bench.COLUMNS
    assert (measured.official | ~measured.strict).all(), "strictly right is officially right"
    accuracy, times, calibration = bench.accuracy(measured), bench.times(measured), bench.calibration(measured)
    assert list(times.family) == [*FAMILIES] and {*accuracy[accuracy.stratum == "all"].family} == {*FAMILIES}
    assert calibration[calibration.family == "all"].n.sum() == len(measured)
    easy = accuracy[accuracy.family.isin(["numeral", "cipher"])]
    assert (easy.strict == 1).all() and (easy.coverage == 1).all()


@pytest.mark.skipif("BENCHMARK_CSV" not in os.environ, reason="needs the benchmark's CSV")
@every_family
def test_real_rows_are_solved_as_often_as_the_solver_expects(name):
    family, found = FAMILIES[name], []
    for problem in (each for _, each in read_problems(os.environ["BENCHMARK_CSV"]) if each.family == name):
        solution = family.solve(family.parse(problem.prompt))
        expected = solution.found.get("accepted", solution.posterior)
        found.append((official(solution.answer or "", problem.answer), expected))
    if not found:
        pytest.skip("the CSV has no row of the family")
    right, expected = map(sum, zip(*found, strict=True))
    print(f"{name}: {right} of {len(found)} right, {expected:.1f} expected")
    assert right > expected - 3 * (len(found) * 0.25) ** 0.5
