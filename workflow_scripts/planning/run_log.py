"""What a run says on the terminal: a line every few seconds instead of a paragraph for every job.

Snakemake's own account of every job stays in .snakemake/log/, and with --verbose or --printshellcmds on the terminal.
"""

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from snakemake.logging import ColorizingTextHandler, logger
from snakemake_interface_logger_plugins.common import LogEvent

SECONDS, BEAT = 10, 60
Job = tuple[str, Mapping[str, str]]
Weigh = Callable[[str, Mapping[str, str]], float]
OF_JOBS = {LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS, LogEvent.SHELLCMD}
CHATTER = ("Select jobs to execute", "Execute ")
SHOWN = (("figures", "Figures"), ("tables", "Tables"), ("gallery", "Gallery"), ("compare", "Comparison of designs"))
NO_RESULTS = {"config", "logs", "benchmarks", "state"}  # what a job leaves that writes nothing else


class RunLog(logging.Handler):
    """Jobs done and left, the time gone and about the time left, and what runs now.

    planned: rule and wildcards of every job. weigh: how much work a job is, in a unit of its rule. The time left takes
    the seconds that the finished jobs of a rule took for their work; rules without one are named instead. A line every
    SECONDS at most, when a job starts, and one in the end; `beat` adds those of long waits.
    """

    def __init__(
        self,
        planned: Sequence[Job],
        weigh: Weigh = lambda rule, wildcards: 1,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.planned, self.work = Counter(rule for rule, _ in planned), Counter()
        for job in planned:
            self.work[job[0]] += weigh(*job)
        self.weigh, self.out, self.clock = weigh, out or sys.stderr, clock
        self.start = self.told = clock()
        self.running: dict[int, tuple[Job, float]] = {}  # number of the job: what it is, when it started
        self.done, self.worked, self.seconds = Counter(), Counter(), Counter()

    def emit(self, record: logging.LogRecord) -> None:
        event, now = getattr(record, "event", None), self.clock()
        if event == LogEvent.JOB_INFO:
            self.running[record.jobid] = (record.rule_name, dict(record.wildcards or {})), now
            if now - self.told >= SECONDS:
                self.tell(now)
        elif event == LogEvent.JOB_ERROR:
            self.running.pop(record.jobid, None)
        elif event == LogEvent.JOB_FINISHED and record.job_id in self.running:
            (rule, wildcards), began = self.running.pop(record.job_id)
            self.done[rule] += 1
            self.worked[rule] += self.weigh(rule, wildcards)
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
                " ".join([rule, *wildcards.values()]) + (f" ({minutes(now - began)})" if now - began >= BEAT else "")
                for (rule, wildcards), began in self.running.values()
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
        pace = {rule: self.seconds[rule] / self.worked[rule] for rule in waiting if self.done[rule]}
        needed = sum((self.work[rule] - self.worked[rule]) * each for rule, each in pace.items())
        gone = [(job, now - began) for job, began in self.running.values()]
        needed -= sum(min(seconds, pace[job[0]] * self.weigh(*job)) for job, seconds in gone if job[0] in pace)
        busy = self.seconds.total() + sum(seconds for _, seconds in gone)
        untimed = [f"{n} {rule}" for rule, n in waiting.items() if not self.done[rule]]
        left = minutes(needed * (now - self.start) / busy)
        return f", {left} left and the time of {', '.join(untimed)}" if untimed else f", about {left} left"


def minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def be_brief(workflow: Any, weigh: Weigh) -> None:
    """Let a RunLog speak of the jobs where Snakemake's own handler would, unless the user has said how much to say.

    Errors stay as they are. workflow: Snakemake's, its jobs planned. weigh: see RunLog.
    """
    said = workflow.output_settings
    own = [each for each in logger.handlers if isinstance(each, ColorizingTextHandler)]
    if not own or said.quiet or said.verbose or said.printshellcmds:
        return
    for handler in own:
        handler.addFilter(lambda record: not is_of_jobs(record))
    jobs = [(job.rule.name, job.wildcards_dict) for job in workflow.dag.needrun_jobs() if not job.rule.norun]
    log = RunLog(jobs, weigh)
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
