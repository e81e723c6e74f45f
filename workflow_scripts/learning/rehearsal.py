"""Before a training: what would be refused after it is tried on an adapter of random values and refused now."""

import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from common.errors import LabError
from learning import adapters
from learning.backbones import end_tokens, load_model
from learning.decoding import ENGINES
from learning.local import merged
from learning.settings import BackboneOptions, Recipe
from learning.tokens import prompt_ids

LENGTH = 6  # tokens that are decoded


def rehearse(
    backbone: Path, recipe: Recipe, options: BackboneOptions, tokenizer: PreTrainedTokenizerBase, state: Path
) -> None:
    """Train nothing, then save, reload, merge and decode as after a training, in a folder below `state`.

    Takes as many loads of the backbone into memory as the end of a training and the start of a decoding do, one after
    the other. Raises LabError naming the setting to blame.
    """
    model = adapters.trainable(load_model(backbone, options), recipe, options)
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
        model, difference = merged(model, ids, options.dtype)
        if difference:
            raise LabError(
                f"an adapter on these modules changes the logits by {difference:.3g} when merged", field="targets"
            )
    if options.engine in ENGINES:
        check_engine(model.eval(), options, ids, end_tokens(backbone, tokenizer), tokenizer.pad_token_id)


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


def check_engine(model: torch.nn.Module, options: BackboneOptions, ids: list[int], end: set[int], pad: int) -> None:
    """Raise LabError unless the engine decodes two prompts with the log-probabilities of a plain forward pass."""
    prompts = [ids, ids[: len(ids) // 2]]
    settings = {"budget": LENGTH, "batch": 2, "end": end, "pad": pad, "window": 1 << 30}
    try:
        found = list(ENGINES[options.engine](model, prompts, **settings))
    except Exception as error:
        raise LabError(f"{options.engine} cannot decode this backbone: {error}", field="engine") from error
    for done in found:
        text = torch.tensor([[*prompts[done.row], *done.tokens]])
        with torch.no_grad():
            logits = model(input_ids=text, use_cache=False).logits[0, -len(done.tokens) - 1 : -1].float()
        plain = float(torch.log_softmax(logits, -1)[range(len(done.tokens)), done.tokens].sum())
        if abs(plain - done.logprob) > (1e-2 if options.dtype == "float32" else 0.5):
            message = f"{options.engine} decodes this backbone with a log-probability of {done.logprob:.4g}"
            raise LabError(f"{message}; a plain forward pass gives {plain:.4g}", field="engine")
