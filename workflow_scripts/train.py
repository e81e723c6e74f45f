"""Train on a corpus by the method of the recipe, an adapter or every parameter; one process per rank under DeepSpeed.

Reads   --corpus P.parquet (columns id, prompt, completion), --backbone DIR (a transformers folder), optionally
        --start DIR (the adapter folder of another training, from which this one starts)
Writes  --out DIR: adapter_model.safetensors, adapter_config.json, metrics.jsonl, provenance.json, all at the very end
Keeps   --state DIR: checkpoints and the growing metrics.jsonl; the same command resumes from there

    python workflow_scripts/train.py --corpus results/main/corpora/numeral/seed-1.parquet \
        --backbone results/main/backbones/small --out results/main/adapters/numeral/seed-1 \
        --state results/main/state/train/numeral/seed-1 --seed 1 --ranks 2 --threads 2 \
        --recipe '{"rank": 32, "alpha": 32, "lr": 0.002, "schedule": "linear", "batch": 8, "epochs": 1,
        "max_length": 2048}' --backbone-options '{}' --deepspeed config/deepspeed/zero2.json
"""

import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from common import cli
from common.errors import LabError


def judges(puzzles: Sequence[str]) -> Mapping[str, Callable]:
    """What judges completions; imported by name, because only a method that asks for it depends on the families."""
    judging, truths = (importlib.import_module(f"reasoning.judging.{name}") for name in ("judges", "truths"))
    return judging.judges(truths.truths(puzzles))


def main() -> None:
    """Check the arguments, then run the ranks; inside a rank, train."""
    p = cli.parser(__doc__)
    p.add_argument("--corpus", required=True)
    p.add_argument("--backbone", required=True)
    p.add_argument("--texts", nargs="*", default=[], help="tables whose prompts must fit the backbone, checked first")
    p.add_argument("--puzzles", nargs="*", default=[], help="problems of the rows, for methods that judge completions")
    p.add_argument("--out", required=True)
    p.add_argument("--state", required=True)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--ranks", type=int, default=1, help="processes; one per GPU where there are GPUs")
    p.add_argument("--gpus", type=int, default=0, help="GPUs to use; 0 trains on the CPU")
    p.add_argument("--threads", type=int, default=2, help="CPU threads of all ranks of a node together")
    p.add_argument("--start", help="adapter folder to start from; none starts from the backbone")
    p.add_argument("--recipe", required=True, help="JSON, one entry of config/recipes.yaml")
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--deepspeed", default="config/deepspeed/zero2.json")
    p.add_argument("--hostfile", help="DeepSpeed host file for several nodes, see config/deepspeed")
    p.add_argument("--local_rank", type=int, help="set by the launcher")
    args = p.parse_args()

    from learning import launch
    from learning.methods import parse_recipe

    if args.local_rank is not None:
        launch.die_with_parent()
        launch.run_rank(args, judges if parse_recipe(args.recipe).JUDGED else None)
        return
    if args.ranks < 1:
        raise LabError(f"{args.ranks} is not a number of processes", field="--ranks")
    if args.gpus and args.gpus != args.ranks:
        raise LabError(f"{args.ranks} ranks for {args.gpus} GPUs; there must be one rank per GPU", field="--ranks")
    launch.check(args)
    if args.ranks == 1 and not args.hostfile:
        launch.run_alone(args, judges if parse_recipe(args.recipe).JUDGED else None)
    else:
        launch.launch(sys.argv, args)
    print(json.dumps({"adapter": str(Path(args.out))}))


if __name__ == "__main__":
    cli.run(main)
