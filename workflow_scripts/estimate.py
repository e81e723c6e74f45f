"""Memory, time and disk of every arm of a run before anything is made, from shapes alone.

Reads   --arms JSON: a list of {arm, backbone, recipe, rows, seeds, tests}; --backbones and --recipes JSON, the entries
        by name; --folders JSON: where a backbone lies already
Writes  a table on stdout, and --out FILE.csv where given. Of all seeds of an arm: million_tokens of training,
        train_gpu_h and decode_gpu_h, disk_gib of adapters; of one GPU: train_gib and decode_gib, the peaks; host_gib,
        what a rank keeps in the CPU's memory. What does not fit stands below it, with what would make it fit

    snakemake estimate --configfile config/paper.yaml
"""

import json
import os
from dataclasses import replace
from pathlib import Path

from common import cli
from common.artifacts import whole
from common.errors import LabError

PROMPT = 512  # tokens of a prompt without examples: the longest one of all families has about as many characters
SMALLEST = {"rank": 1, "alpha": 1, "max_length": 64, "micro_tokens": 64}  # to count a backbone that is not trained


def main() -> None:
    """Count each backbone and recipe once, then add up."""
    p = cli.parser(__doc__)
    p.add_argument("--arms", required=True)
    p.add_argument("--backbones", required=True)
    p.add_argument("--recipes", required=True)
    p.add_argument("--folders", default="{}")
    p.add_argument("--ranks", type=int, default=1, help="GPUs of one training")
    p.add_argument("--gpu", default="h100", help="the GPU that the run is for")
    p.add_argument("--batch", type=int, default=60, help="rows in flight")
    p.add_argument("--max-tokens", type=int, default=512, help="new tokens per row")
    p.add_argument("--out", type=Path)
    args = p.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import pandas as pd

    from learning import estimate
    from learning.counting import counted
    from learning.fit import Arm
    from learning.methods import read_recipe
    from learning.settings import BackboneOptions

    room, teraflops, rate = estimate.card(args.gpu)
    backbones = {name: BackboneOptions.read(json.dumps(e)) for name, e in json.loads(args.backbones).items()}
    recipes, folders = json.loads(args.recipes), json.loads(args.folders)
    rows, making, weights, lacking = [], {}, {}, {}
    for asked in json.loads(args.arms):
        name, recipe, seeds = asked["backbone"], recipes.get(asked["recipe"]), asked["seeds"]
        options = backbones[name]
        try:
            c, tokens = counted(name, options, recipe or SMALLEST, folders.get(name))
        except LabError as error:
            raise LabError(f"backbone {name}: {error.message}", file=error.file, field=error.field) from error
        except ValueError as error:  # of the library: a class that it does not know, say
            raise LabError(f"backbone {name}: {str(error)[:120]}", field="shape") from error
        learned = hours = written = adapter = state = 0
        if recipe:
            method = read_recipe(recipe)
            texts, new, flight = method.written()
            written = flight * method.max_length
            learned = seeds * method.taken(asked["rows"]) * method.max_length
            hours = estimate.train_hours(c, options, learned / seeds, teraflops)
            hours += estimate.decode_hours(c, options, texts, new, flight, rate) if texts else 0
            _, adapter, state = estimate.disk(c, options)
        else:
            c, tokens = replace(c, adapter=0), 0
        arm = Arm(c, options, args.ranks, tokens, written, args.batch, PROMPT + args.max_tokens)
        decoded = estimate.decode_hours(c, options, asked["tests"], args.max_tokens, args.batch, rate)
        lacks = arm.lacks(int(room * estimate.GIB))
        for told in lacks:
            lacking.setdefault(f"{name}: {told}", []).append(asked["arm"])
        rows.append(
            {
                "arm": asked["arm"],
                "backbone": name,
                "seeds": seeds,
                "million_tokens": round(learned / 1e6, 1),
                "train_gpu_h": round(seeds * hours, 2),
                "decode_gpu_h": round(seeds * decoded, 2),
                "disk_gib": short(seeds * adapter / estimate.GIB),
                "state_gib": short(state / estimate.GIB),
                "train_gib": round(arm.training.peak / estimate.GIB, 1) if arm.training else 0.0,
                "decode_gib": round(arm.decoding() / estimate.GIB, 1),
                "host_gib": round(arm.training.host / estimate.GIB, 1) if arm.training else 0.0,
                "fits": "no" if lacks else "yes",
            }
        )
        making[name] = estimate.making_hours(c, options, teraflops)
        weights[name] = estimate.disk(c, options)[0] / estimate.GIB
    frame = pd.DataFrame(rows)
    if args.out:
        with whole(args.out) as partial:
            frame.to_csv(partial, index=False)
    print(frame.drop(columns=["state_gib", *(["host_gib"] if not frame.host_gib.any() else [])]).to_string(index=False))
    for told, arms in lacking.items():
        print(f"\n{told} ({len(arms)} {'arms, first' if len(arms) > 1 else 'arm,'} {arms[0]})")
    made = f"{sum(making.values()):.1f} of pretraining, " if any(making.values()) else ""
    print(
        f"\nGPU-hours on {args.gpu}: {made}{frame.train_gpu_h.sum():.1f} of training,"
        f" {frame.decode_gpu_h.sum():.1f} of decoding the test rows once. It is arithmetic at"
        f" {estimate.UTILISATION:.0%} of the GPU's best, every row as long as it may be, and a minute for each job.\n"
        f"Memory: the peak of one GPU, which has {room} GiB; a training takes {args.ranks} of them.\n"
        f"Disk: {short(frame.disk_gib.sum()):g} GiB of adapters, {short(sum(weights.values())):g} of weights,"
        f" at most {short(frame.state_gib.max()):g} for each training that is under way.\n"
        "Hours, tokens and disk are those of all seeds of an arm."
    )


def short(number: float) -> float:
    """Two digits, or those before the point: what is small is not shown as nothing."""
    return float(f"{number:.2g}") if number < 10 else float(round(number))


if __name__ == "__main__":
    cli.run(main)
