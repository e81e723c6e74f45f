"""Make or fetch one backbone: a loadable model folder.

Reads   --options JSON, one entry of config/backbones.yaml: `make` (pretrained here on primitive skills), `hub` with
        `revision` (downloaded), or `path` (a local folder, linked file by file)
Writes  --out DIR, and for a made backbone --skills FILE.json: accuracy of every skill on held-out instances
Keeps   --state DIR: checkpoints of the pretraining; the same command resumes from there

    python workflow_scripts/backbone.py --options '{"make": {"steps": 400}}' --threads 2 \
        --out results/main/backbones/small --skills results/main/backbones/small.skills.json \
        --state results/main/state/backbone/small
"""

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
    args = p.parse_args()
    from learning.settings import BackboneOptions, check_folder

    options = BackboneOptions.read(args.options)
    if len([source for source in (options.make, options.hub, options.path) if source]) != 1:
        raise LabError("a backbone has one of make, hub or path", field="--options")

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    from learning import machine

    machine.keep_freed_memory()
    if options.make:
        device = machine.device(args.gpus)
        import torch

        from learning.pretrain import pretrain
        from puzzles.registry import FAMILIES

        torch.set_num_threads(args.threads)
        phrases = sorted({phrase for family in FAMILIES.values() for phrase in family.phrases})
        pretrain(options.make, phrases, args.out, args.state, args.skills, device)
        return
    if options.hub:
        from huggingface_hub import snapshot_download

        wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.py"]
        fetched = snapshot_download(options.hub, revision=options.revision, allow_patterns=wanted)
        source = Path(fetched)
    else:
        source = Path(options.path)
    check_folder(source)
    with whole(args.out) as partial:
        partial.mkdir(parents=True)
        for file in source.iterdir():
            if file.is_file():
                (partial / file.name).symlink_to(file.resolve())
        write_json(partial / "source.json", {**options.source(), "snapshot": source.resolve().name})
    write_json(args.skills, {"skills": {}})


if __name__ == "__main__":
    cli.run(main)
