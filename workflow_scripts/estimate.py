"""Memory, time and disk of every arm of a run before anything is made, from shapes alone.

Reads   --arms JSON: a list of {arm, backbone, recipe, rows, seeds, tests, tokens}; --backbones and --recipes JSON, the
        entries by name; --folders JSON: where a backbone lies already
Writes  --out FILE.csv where given, and a table on stdout: GPU-hours of training, with what a training writes itself,
        and of decoding, of all seeds (every row as long as the recipe and the decoder allow, and a minute for each job
        to start), the peak of a rank, and whether it fits the GPU, or what would make it fit

    snakemake estimate --configfile config/paper.yaml
"""

import json
import os
from pathlib import Path

from common import cli
from common.artifacts import whole


def main() -> None:
    """Count each backbone and recipe once, then add up."""
    p = cli.parser(__doc__)
    p.add_argument("--arms", required=True)
    p.add_argument("--backbones", required=True)
    p.add_argument("--recipes", required=True)
    p.add_argument("--folders", default="{}")
    p.add_argument("--ranks", type=int, default=1)
    p.add_argument("--gpu", default="h100", help="the GPU that the run is for")
    p.add_argument("--batch", type=int, default=60, help="rows in flight")
    p.add_argument("--max-tokens", type=int, default=512, help="new tokens per row")
    p.add_argument("--out", type=Path)
    args = p.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import pandas as pd

    from learning import estimate
    from learning.settings import BackboneOptions

    room, teraflops, rate = estimate.card(args.gpu)
    backbones = {name: BackboneOptions.read(json.dumps(e)) for name, e in json.loads(args.backbones).items()}
    recipes, folders = json.loads(args.recipes), json.loads(args.folders)
    from learning.counting import counted
    from learning.methods import read_recipe

    rows, making = [], {}
    for arm in json.loads(args.arms):
        options, recipe = backbones[arm["backbone"]], recipes[arm["recipe"]]
        c, tokens = counted(arm["backbone"], options, recipe, folders.get(arm["backbone"]))
        making[arm["backbone"]] = estimate.making_hours(c, options, teraflops)
        method = read_recipe(recipe)
        texts, new, flight = method.written()
        held = flight * method.max_length
        needed = estimate.memory(c, options, args.ranks, tokens, written=held)
        learned = method.taken(arm["rows"]) * method.max_length
        hours = estimate.train_hours(c, options, learned, teraflops)
        hours += estimate.decode_hours(c, options, texts, new, flight, rate) if texts else 0
        weights, adapter, state = estimate.disk(c, options)
        ways = [] if needed.peak <= room * estimate.GIB else estimate.ways_to_fit(
            c, options, args.ranks, tokens, int(room * estimate.GIB), written=held
        )  # fmt: skip
        rows.append(
            {
                "arm": arm["arm"],
                "backbone": arm["backbone"],
                "runs": arm["seeds"],
                "million_tokens": round(learned / 1e6, 1),
                "train_gpu_h": round(arm["seeds"] * hours, 2),
                "decode_gpu_h": round(
                    arm["seeds"] * estimate.decode_hours(c, options, arm["tests"], args.max_tokens, args.batch, rate), 2
                ),
                "peak_gib": round(needed.peak / estimate.GIB, 1),
                "host_gib": round(needed.host / estimate.GIB, 1),
                "fits": "yes" if needed.peak <= room * estimate.GIB else "; or ".join(ways) or "no",
                "disk_gib": round(arm["seeds"] * adapter / estimate.GIB, 2),
                "state_gib": round(state / estimate.GIB, 2),
                "weights_gib": round(weights / estimate.GIB, 1),
            }
        )
    frame = pd.DataFrame(rows)
    if args.out:
        with whole(args.out) as partial:
            frame.to_csv(partial, index=False)
    print(frame.drop(columns=["weights_gib", "state_gib"]).to_string(index=False))
    hours = f"{frame.train_gpu_h.sum():.1f} GPU-hours of training and {frame.decode_gpu_h.sum():.1f} of decoding"
    hours = f"{sum(making.values()):.1f} GPU-hours of pretraining, {hours}" if any(making.values()) else hours
    weights = frame.drop_duplicates("backbone").weights_gib.sum()
    print(f"\n{hours} on {args.gpu}, at {estimate.UTILISATION:.0%} of its best and every row as long as it may be")
    adapters = (
        f"{frame.disk_gib.sum():.0f} GiB of adapters, {frame.state_gib.max():.0f} GiB for each that is in training"
    )
    print(f"disk: {adapters}, {weights:.0f} GiB of weights")


if __name__ == "__main__":
    cli.run(main)
