"""What a training says while it runs: steps, loss, tokens per second, time left."""

from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import PrinterCallback

from common.progress import progress


class TokenBar(TrainerCallback):
    """The progress of rank 0 on standard error, by tokens: `tokens` are those of each step of the whole run.

    unit: what else is counted, where nobody knows beforehand how many tokens there will be.
    """

    def __init__(self, desc: str, tokens: list[int], unit: str = "token"):
        self.desc, self.tokens, self.unit, self.bar = desc, tokens, unit, None

    @classmethod
    def put_on(cls, trainer: Trainer, desc: str, tokens: list[int], unit: str = "token") -> None:
        """In place of the library's own messages (train with `disable_tqdm`)."""
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(cls(desc, tokens, unit))

    def on_train_begin(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            done = sum(self.tokens[: state.global_step])
            self.bar = progress(desc=self.desc, unit=self.unit, total=sum(self.tokens), initial=done, unit_scale=True)

    def on_step_end(self, args, state, control, **kwargs):
        if self.bar is not None:
            last = next((f", loss {row['loss']:.4g}" for row in reversed(state.log_history) if "loss" in row), "")
            self.bar.set_postfix_str(f"step {state.global_step}/{state.max_steps}{last}", refresh=False)
            self.bar.update(self.tokens[state.global_step - 1])

    def on_train_end(self, args, state, control, **kwargs):
        if self.bar is not None:
            self.bar.close()
