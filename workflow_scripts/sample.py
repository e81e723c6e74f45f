"""Complete the rows of one or more tables of texts: a backbone with or without an adapter, with or without examples in
the prompt; or an endpoint; or a baseline without a model.

Reads   --texts T1.parquet T2.parquet ... (id, family, design, reveal, stratum, prompt, answer; where there is a column
        completion, no decoder may be too short for it), --backbone DIR, optionally --adapter DIR, --corpus P.parquet
        with --shots N: of each family, N examples of the seed's own stand before every problem. A decoder that asks for
        a tutor (forced prefixes, oracles) needs rendered texts, --puzzles and --solutions
Writes  --out P.parquet: the rows in order, each as often as the decoder samples, with sample, text, n_tokens,
        n_decoded (made for it, rejected ones too), finish (stop | length, or the word of an endpoint), logprob_sum,
        _mean (null where unknown), notes (JSON, what the decoder counts besides; null without)
Keeps   --state DIR: what is finished; the same command continues from there

    python workflow_scripts/sample.py --backbone results/main/backbones/small \
        --adapter results/main/adapters/numeral/seed-1 --threads 2 \
        --decoder '{"kind": "greedy", "max_tokens": 512, "batch": 64}' \
        --texts results/main/texts/numeral/forward/reveal-0/none/test.parquet \
        --state results/main/state/sample/numeral --out results/main/completions/numeral/seed-1/greedy/test.parquet
"""

import importlib
import json
import os
import warnings
from pathlib import Path

from common import cli
from common.errors import LabError


def main() -> None:
    """Check the arguments and complete."""
    p = cli.parser(__doc__)
    p.add_argument("--backbone", default="", help="folder of the backbone; endpoints and baselines have none")
    p.add_argument("--adapter", help="folder of the adapter; none completes with the backbone alone")
    p.add_argument("--texts", nargs="+", required=True)
    p.add_argument("--corpus", help="table of examples")
    p.add_argument("--shots", type=int, default=0, help="examples of its family before every problem")
    p.add_argument("--seed", type=int, default=1, help="of the arm: each has its own examples and draws")
    p.add_argument("--puzzles", nargs="*", default=[], help="of the rows, for a decoder that asks for a tutor")
    p.add_argument("--solutions", nargs="*", default=[], help="the same, for rows without a key")
    p.add_argument("--rows", type=int, default=0, help="the first so many of each table, 0 for all")
    p.add_argument(
        "--decoder", help="JSON, one entry of config/decoders.yaml with all its settings; greedy if left out"
    )
    p.add_argument("--budget", type=int, default=512, help="new tokens per row, where --decoder is left out")
    p.add_argument("--batch", type=int, default=60, help="rows in flight, where --decoder is left out")
    p.add_argument("--backbone-options", default="{}", help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--gpus", type=int, default=0, help="0 decodes on the CPU")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--state", required=True)
    p.add_argument("--out", required=True)
    args = p.parse_args()
    for name in ("threads", "seed"):
        if getattr(args, name) < 1:
            raise LabError(f"{getattr(args, name)} is not above zero", field=f"--{name}")
    if args.shots < 0 or (args.shots and not args.corpus):
        raise LabError(f"{args.shots} examples asked for, of --corpus {args.corpus}", field="--shots")

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.filterwarnings("ignore", category=FutureWarning)  # the libraries' own, about each other
    from learning.decoders import parse_decoder, unserved
    from learning.engines import engine_of
    from learning.settings import BackboneOptions, check_folder

    greedy = json.dumps({"kind": "greedy", "max_tokens": args.budget, "batch": args.batch})
    options, decoder = BackboneOptions.read(args.backbone_options), parse_decoder(args.decoder or greedy)
    if lacking := unserved(decoder, engine_of(options)):
        message = f"the engine {engine_of(options)} cannot serve it: it needs one that {'; '.join(lacking)}"
        raise LabError(message, field="--decoder")
    if args.adapter and not Path(args.adapter).is_dir():
        raise LabError("no such adapter folder; run the `train` rule first", file=args.adapter)
    tutors = None
    if decoder.TUTORED:
        if not args.puzzles:
            raise LabError("the decoder needs the puzzles of the rows", field="--puzzles")
        from common.artifacts import read_table

        told = [row for path in args.texts for row in read_table(path).to_pylist()]
        # By its name, because only a decoder that asks for it depends on the families.
        tutors = importlib.import_module("reasoning.judging.tutor").tutors(told, args.puzzles, args.solutions)
    device = "cpu"
    if not (options.endpoint or options.baseline):
        check_folder(args.backbone)
        from learning import machine

        machine.keep_freed_memory()
        device = machine.device(args.gpus)
        import torch

        torch.set_num_threads(args.threads)

    from learning.sampling import SampleJob, sample

    sample(
        SampleJob(
            backbone=args.backbone,
            adapter=args.adapter,
            texts=tuple(args.texts),
            options=options,
            decoder=decoder,
            device=device,
            state=args.state,
            out=args.out,
            gpus=args.gpus,
            corpus=args.corpus,
            shots=args.shots,
            seed=args.seed,
            rows=args.rows,
            told=(*args.puzzles, *args.solutions) if tutors else (),
        ),
        tutors,
    )


if __name__ == "__main__":
    cli.run(main)
