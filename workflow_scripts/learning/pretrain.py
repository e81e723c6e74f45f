"""Pretraining of the small backbone on worksheets of skills, and the measured accuracy of each skill."""

import json
import shutil
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from common.artifacts import whole, write_json
from common.errors import LabError
from learning import skills
from learning.bar import TokenBar
from learning.circuits import structured_start
from learning.make import Make
from learning.muon import Muon
from learning.tokens import character_tokenizer
from learning.worksheets import IGNORE, Worksheets

HELD_OUT = 1_000_000_007  # worksheet numbers from here on are never trained on


def build(make: Make, vocabulary: int, tokenizer: PreTrainedTokenizerBase) -> LlamaForCausalLM:
    """A Llama-style model with tied embeddings."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=make.width,
            intermediate_size=make.feed_forward,
            num_hidden_layers=make.layers,
            num_attention_heads=make.heads,
            num_key_value_heads=make.heads,
            head_dim=make.head_size,
            rope_parameters={"rope_type": "default", "rope_theta": make.theta},
            max_position_embeddings=make.context,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
            attn_implementation="sdpa",
        )
    )
    if make.start == "structured":
        structured_start(model, make.seed)
    return model


def answer_logits(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """(logits, targets) at the learned positions only. The mask of ones keeps jumps in position one sequence."""
    hidden = model.model(
        input_ids=batch["input_ids"],
        position_ids=batch["position_ids"],
        attention_mask=torch.ones_like(batch["input_ids"]),
        use_cache=False,
    ).last_hidden_state
    targets = batch["labels"][:, 1:]
    learned = targets != IGNORE
    return model.lm_head(hidden[:, :-1][learned]), targets[learned]


class SkillTrainer(Trainer):
    """The library's Trainer with our loss positions, optimiser and order of rows."""

    def _get_train_sampler(self, dataset=None):
        return torch.utils.data.SequentialSampler(dataset if dataset is not None else self.train_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        return torch.nn.functional.cross_entropy(*answer_logits(model, inputs))

    def create_optimizer(self, model=None):
        if self.optimizer is None and self.make.optimizer == "muon":
            named = list(self.model.named_parameters())
            matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n]
            others = [p for n, p in named if not (p.ndim == 2 and "embed" not in n)]
            self.optimizer = Muon(
                [{"params": matrices, "lr": self.make.matrix_lr, "muon": True}, {"params": others}],
                lr=self.args.learning_rate,
            )
        return self.optimizer


@torch.no_grad()
def skill_accuracy(model: LlamaForCausalLM, held_out: Worksheets, batch: int = 16) -> dict[str, dict[str, float]]:
    """Share of held-out answers that greedy decoding gets right to the last character, by skill.

    One forward pass with the true answers in place: an answer is right when every one of its characters is the most
    likely one, which is when greedy decoding would produce it.
    """
    names = list(skills.SKILLS)
    right, n = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    model.eval()
    for start in range(0, len(held_out), batch):
        rows = [held_out[i] for i in range(start, min(start + batch, len(held_out)))]
        stacked = {k: torch.stack([row[k] for row in rows]) for k in rows[0]}
        logits, targets = answer_logits(model, stacked)
        good = iter((logits.argmax(-1) == targets).tolist())
        for row in rows:
            whole_answer = True
            for label, skill in zip(row["labels"][1:].tolist(), row["skills"][1:].tolist(), strict=True):
                if label == IGNORE:
                    whole_answer = True
                    continue
                whole_answer &= next(good)
                if label == held_out.newline:  # a cut-off answer at the end of a worksheet is not counted
                    right[names[skill]] += whole_answer
                    n[names[skill]] += 1
                    whole_answer = True
    return {name: {"accuracy": round(right[name] / n[name], 4), "n": n[name]} for name in names if n[name]}


def pretrain(make: Make, phrases: list[str], out: Path, state: Path, table: Path, device: str = "cpu") -> None:
    """Train, measure every skill on held-out worksheets (written to `table`), and save a transformers folder.

    Without steps, the start is saved as it is: for arms that train every parameter themselves.
    """
    set_seed(make.seed)
    tokenizer = character_tokenizer(phrases, make.context)
    if not make.steps:
        write_json(table, {"skills": {}})
        with whole(out) as partial:
            build(make, len(tokenizer), tokenizer).save_pretrained(partial)
            tokenizer.save_pretrained(partial)
        return
    key = json.dumps([asdict(make), sorted(phrases)], sort_keys=True)
    folder = state / blake2b(key.encode(), digest_size=8).hexdigest()
    trainer = SkillTrainer(
        model=build(make, len(tokenizer), tokenizer),
        args=TrainingArguments(
            output_dir=str(folder),
            per_device_train_batch_size=make.batch,
            max_steps=make.steps,
            learning_rate=make.lr,
            lr_scheduler_type="cosine_with_min_lr",
            lr_scheduler_kwargs={"min_lr_rate": 0.02},
            warmup_steps=max(1, round(make.warmup * make.steps)),
            max_grad_norm=1.0,
            optim="adamw_torch",
            adam_beta2=0.95,
            logging_steps=max(1, make.steps // 40),
            logging_nan_inf_filter=False,
            save_steps=100,
            save_total_limit=1,
            seed=make.seed,
            use_cpu=device == "cpu",
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=Worksheets(tokenizer, make.length, make.steps * make.batch, make.seed, make.context),
    )
    trainer.make = make
    TokenBar.put_on(trainer, "pretrain", [make.batch * make.length] * make.steps)
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    result = trainer.train(resume_from_checkpoint=last)
    if not result.training_loss < float("inf"):
        raise LabError(f"the pretraining loss is {result.training_loss}; lower the learning rate", field="lr")
    model = trainer.model.to("cpu").eval()
    held_out = Worksheets(tokenizer, make.length, 200, make.seed, make.context, first=HELD_OUT)
    write_json(table, {"skills": skill_accuracy(model, held_out), "loss": round(result.training_loss, 4)})
    with whole(out) as partial:
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
    shutil.rmtree(folder, ignore_errors=True)
