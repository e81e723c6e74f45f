"""Make or fetch one backbone: a loadable model folder.

Reads   --options JSON, one entry of config/backbones.yaml: `make` (pretrained here on primitive skills), `hub` with
        `revision` (downloaded), or `path` (a local folder, linked file by file; phrases that its tokenizer lacks get
        its spare tokens)
Writes  --out DIR, and --skills FILE.json: accuracy of every skill on held-out instances, where it was measured
Keeps   --state DIR: checkpoints of the pretraining, every ten minutes; the same command resumes from there

    python workflow_scripts/backbone.py --options '{"make": {"steps": 400}}' --threads 2 \
        --out results/main/backbones/small --skills results/main/backbones/small.skills.json \
        --state results/main/state/backbone/small
"""

import json
import os
from pathlib import Path

from common import cli
from common.artifacts import whole, write_json
from common.errors import LabError


def main() -> None:
    """Make, download or link."""
    p = cli.parser(__doc__)
    p.add_argument("--options", required=True, help="JSON, one entry of config/backbones.yaml")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--skills", type=Path, required=True)
    p.add_argument("--state", type=Path, required=True)
    p.add_argument("--gpus", type=int, default=0, help="1 pretrains on a GPU, 0 on the CPU")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--from", dest="source", type=Path, help="go on from this trunk where the state has no checkpoint")
    p.add_argument("--snapshot", type=Path, help="take a backbone from the newest checkpoint now; its trunk goes here")
    p.add_argument("--compile", action="store_true", help="compile the layers first: a minute, then a seventh faster")
    args = p.parse_args()
    from learning.settings import BackboneOptions, check_folder

    options = BackboneOptions.read(args.options)
    if len([source for source in (options.make, options.hub, options.path) if source]) != 1:
        raise LabError("a backbone has one of make, hub or path", field="--options")

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    from learning import machine
    from learning.shipped import shipped_files, with_phrases
    from puzzles.registry import FAMILIES

    machine.keep_freed_memory()
    phrases = sorted({phrase for family in FAMILIES.values() for phrase in family.phrases})
    if options.make:
        device = machine.device(args.gpus)
        import torch

        from learning.backbone.pretrain import pretrain

        torch.set_num_threads(args.threads)
        where = (args.out, args.state, args.skills, args.source, args.snapshot)
        pretrain(options.make, phrases, *where, device, compiled=args.compile)
        return
    if options.hub:
        from huggingface_hub import snapshot_download

        wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.py"]
        fetched = snapshot_download(options.hub, revision=options.revision, allow_patterns=wanted)
        source = Path(fetched)
    else:
        source = Path(options.path)
    check_folder(source)
    files = shipped_files(source) if options.path else sorted(file for file in source.iterdir() if file.is_file())
    with whole(args.out) as partial:
        partial.mkdir(parents=True)
        for file in files:
            if file.name == "tokenizer.json":
                tokenizer = json.loads(file.read_text(encoding="utf-8"))
                if (own := with_phrases(tokenizer, phrases, file=file)) is not tokenizer:
                    write_json(partial / file.name, own)
                    continue
            (partial / file.name).symlink_to(file.resolve())
        write_json(partial / "source.json", {**options.source(), "snapshot": source.resolve().name})
    measured = source / "skills.json"
    write_json(args.skills, json.loads(measured.read_text()) if measured.is_file() else {"skills": {}})


if __name__ == "__main__":
    cli.run(main)
