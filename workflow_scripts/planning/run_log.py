"""What a run says on the terminal: a line every few seconds instead of a paragraph for every job.

Snakemake's own account of every job stays in .snakemake/log/, and with --verbose or --printshellcmds on the terminal.
"""

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from snakemake.logging import ColorizingTextHandler, logger
from snakemake_interface_logger_plugins.common import LogEvent

SECONDS, BEAT = 10, 60
OF_JOBS = {LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS, LogEvent.SHELLCMD}
CHATTER = ("Select jobs to execute", "Execute ")
SHOWN = (("figures", "Figures"), ("tables", "Tables"), ("gallery", "Gallery"), ("compare", "Comparison of designs"))
NO_RESULTS = {"config", "logs", "benchmarks", "state"}  # what a job leaves that writes nothing else


class RunLog(logging.Handler):
    """Jobs done and left, the time gone and about the time left, and what runs now.

    planned: jobs per rule. The time left takes the mean seconds of the finished jobs of a rule; rules without one are
    named instead. A line every SECONDS at most, when a job starts, and one in the end; `beat` adds those of long waits.
    """

    def __init__(
        self, planned: Mapping[str, int], out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ):
        super().__init__()
        self.planned, self.out, self.clock = Counter(planned), out or sys.stderr, clock
        self.start = self.told = clock()
        self.running: dict[int, tuple[str, str, float]] = {}  # job: rule, label, when it started
        self.done, self.seconds = Counter(), Counter()

    def emit(self, record: logging.LogRecord) -> None:
        event, now = getattr(record, "event", None), self.clock()
        if event == LogEvent.JOB_INFO:
            label = " ".join([record.rule_name, *(record.wildcards or {}).values()])
            self.running[record.jobid] = (record.rule_name, label, now)
            if now - self.told >= SECONDS:
                self.tell(now)
        elif event == LogEvent.JOB_ERROR:
            self.running.pop(record.jobid, None)
        elif event == LogEvent.JOB_FINISHED and record.job_id in self.running:
            rule, _, began = self.running.pop(record.job_id)
            self.done[rule] += 1
            self.seconds[rule] += now - began
            if self.done == self.planned:
                self.tell(now)

    def beat(self) -> None:
        """A line where none was written for BEAT seconds and something runs."""
        with self.lock:
            if self.running and self.clock() - self.told >= BEAT:
                self.tell(self.clock())

    def tell(self, now: float) -> None:
        self.told, done = now, self.done.total()
        text = f"{done} of {self.planned.total()} jobs, {minutes(now - self.start)} gone"
        if self.running:
            labels = [
                label + (f" ({minutes(now - began)})" if now - began >= BEAT else "")
                for _, label, began in self.running.values()
            ]
            more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
            text += f"{self.left(now)}: {'; '.join(labels[:3])}{more}"
        self.out.write(f"{text}\n")
        self.out.flush()

    def left(self, now: float) -> str:
        """About how long the jobs that are not done take, at as many at once as until now."""
        if not self.done:
            return ""
        waiting = self.planned - self.done
        needed = sum(n * self.seconds[rule] / self.done[rule] for rule, n in waiting.items() if self.done[rule])
        busy = self.seconds.total() + sum(now - began for _, _, began in self.running.values())
        untimed = [f"{n} {rule}" for rule, n in waiting.items() if not self.done[rule]]
        left = minutes(needed * (now - self.start) / busy)
        return f", {left} left and the time of {', '.join(untimed)}" if untimed else f", about {left} left"


def minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def be_brief(workflow: Any) -> None:
    """Let a RunLog speak of the jobs where Snakemake's own handler would, unless the user has said how much to say.

    Errors stay as they are. workflow: Snakemake's, its jobs planned.
    """
    said = workflow.output_settings
    own = [each for each in logger.handlers if isinstance(each, ColorizingTextHandler)]
    if not own or said.quiet or said.verbose or said.printshellcmds:
        return
    for handler in own:
        handler.addFilter(lambda record: not is_of_jobs(record))
    log = RunLog(Counter(job.rule.name for job in workflow.dag.needrun_jobs() if not job.rule.norun))
    logger.addHandler(log)
    threading.Thread(target=keep_beating, args=(log,), daemon=True).start()


def keep_beating(log: RunLog) -> None:
    while True:
        time.sleep(BEAT)
        log.beat()


def is_of_jobs(record: logging.LogRecord) -> bool:
    return getattr(record, "event", None) in OF_JOBS or record.getMessage().startswith(CHATTER)


def where(results: str) -> str:
    """Where the results of a run lie, in the order in which one looks at them; empty where there are none yet."""
    whole = Path(results)
    if not whole.is_dir() or {path.name for path in whole.iterdir()} <= NO_RESULTS:
        return ""
    lines = [f"{name} lie in {results}/{folder}/" for folder, name in SHOWN if Path(results, folder).is_dir()]
    if lines:
        lines.append("`snakemake --report report.html`, with the options of this run, makes one page of them")
    return "\n".join(lines or [f"Results lie in {results}/"])
