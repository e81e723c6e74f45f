"""Make or fetch one backbone: a loadable model folder.

Reads   --options JSON, one entry of config/backbones.yaml: `make` (pretrained here on primitive skills), `hub` with
        `revision` (downloaded), or `path` (a local folder, linked file by file)
Writes  --out DIR, and for a made backbone --skills FILE.json: accuracy of every skill on held-out instances
Keeps   --state DIR: checkpoints of the pretraining; the same command resumes from there

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
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()
    options = json.loads(args.options)
    sources = [name for name in ("make", "hub", "path") if name in options]
    if len(sources) != 1:
        raise LabError(f"a backbone has one of make, hub or path; found {sources or 'none'}", field="--options")

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    from learning import launch
    from learning.settings import check_folder

    launch.keep_freed_memory()
    if "make" in options:
        import torch

        from learning.pretrain import Make, pretrain
        from puzzles.registry import FAMILIES

        torch.set_num_threads(args.threads)
        phrases = sorted({phrase for family in FAMILIES.values() for phrase in family.phrases})
        pretrain(Make.read(options["make"]), phrases, args.out, args.state, args.skills)
        return
    if "hub" in options:
        from huggingface_hub import snapshot_download

        wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.py"]
        fetched = snapshot_download(options["hub"], revision=options.get("revision"), allow_patterns=wanted)
        source = Path(fetched)
    else:
        source = Path(options["path"])
    check_folder(source)
    with whole(args.out) as partial:
        partial.mkdir(parents=True)
        for file in source.iterdir():
            if file.is_file():
                (partial / file.name).symlink_to(file.resolve())
        record = {k: options[k] for k in ("hub", "revision", "path") if k in options} | {
            "snapshot": source.resolve().name
        }
        write_json(partial / "source.json", record)
    write_json(args.skills, {"skills": {}})


if __name__ == "__main__":
    cli.run(main)
