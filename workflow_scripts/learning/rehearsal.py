"""Before a training: what would be refused after it is tried on an adapter of random values and refused now."""

import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from common.errors import LabError
from learning import adapters
from learning.backbones import check_engine, load_model
from learning.methods.base import TrainJob
from learning.settings import BackboneOptions
from learning.tokens import prompt_ids


def rehearse(job: TrainJob, tokenizer: PreTrainedTokenizerBase, state: Path) -> None:
    """Train nothing, then save, reload and merge as after a training, in a folder below `state`.

    Takes as many loads of the backbone into memory as the end of a training and the start of a decoding do, one after
    the other. Raises LabError naming the setting to blame.
    """
    torch.manual_seed(job.seed)
    backbone, options = Path(job.backbone), job.options
    model = load_model(backbone, options)
    check_engine(model, options)
    model = job.recipe.trainable(model, options, job.start)
    ids = prompt_ids(tokenizer, "0123456789")
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    check_reached(model, options, ids)
    with tempfile.TemporaryDirectory(dir=state) as name:
        folder = Path(name)
        adapters.write(model, adapters.gather(model), folder, backbone)
        shapes, logits = adapters.adapter_shapes(model), adapters.probe(model, ids)
        del model
        adapters.check_file(folder, shapes)
        adapters.check_reload(folder, backbone, options, ids, logits)
        model = adapters.attach(load_model(backbone, options), folder)
    if isinstance(model, PeftModel):
        _, difference = adapters.merged(model, ids, options.dtype)
        if difference:
            raise LabError(
                f"an adapter on these modules changes the logits by {difference:.3g} when merged", field="targets"
            )


def check_reached(model: torch.nn.Module, options: BackboneOptions, ids: list[int]) -> None:
    """Raise LabError for a target whose modules the forward pass goes round: an adapter there would stay untrained."""
    if not isinstance(model, PeftModel):
        return
    model.train()
    model(input_ids=torch.tensor([ids]), use_cache=False).logits.float().sum().backward()
    reached = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    model.zero_grad(set_to_none=True)
    for target in options.targets:
        if not any(f".{target}.lora_B" in name for name in reached):
            raise LabError(f"the forward pass uses no module called {target}", field="targets")
