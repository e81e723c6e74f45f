"""What a run says on the terminal."""

import io
import logging

from snakemake_interface_logger_plugins.common import LogEvent

from planning.run_log import RunLog, is_of_jobs, where


class Run:
    """A run of four jobs, the last of three times the work, on a clock that the test sets, and what was said of it."""

    def __init__(self):
        self.now, self.out = 0.0, io.StringIO()
        jobs = [("generate", {"family": "cipher", "split": split}) for split in ("test", "train")]
        jobs += [("train", {"arm": "derive", "seed": seed}) for seed in ("1", "2")]
        self.log = RunLog(jobs, lambda rule, wildcards: 3 if wildcards.get("seed") == "2" else 1, self.out, self.clock)

    def clock(self) -> float:
        return self.now

    def say(self, event: LogEvent, **fields) -> None:
        self.log.handle(logging.makeLogRecord({"event": event, **fields}))

    def begin(self, job: int, rule: str, **wildcards: str) -> None:
        self.say(LogEvent.JOB_INFO, jobid=job, rule_name=rule, wildcards=wildcards)

    def end(self, job: int) -> None:
        self.say(LogEvent.JOB_FINISHED, job_id=job)


def test_a_line_says_what_runs_and_how_long_it_may_still_take():
    run = Run()
    run.begin(1, "generate", family="cipher", split="test")
    run.now = 20
    run.end(1)
    run.begin(2, "generate", family="cipher", split="train")
    run.now = 24  # too soon for another line
    run.end(2)
    run.begin(3, "train", arm="derive", seed="1")
    run.now = 324
    run.end(3)
    run.begin(4, "train", arm="derive", seed="2")
    run.now = 624
    run.log.beat()
    run.now = 1200
    run.end(4)
    assert run.out.getvalue().splitlines() == [
        "1 of 4 jobs, 20 s gone, 20 s left and the time of 2 train: generate cipher train",
        "3 of 4 jobs, 5 min gone, about 15 min left: train derive 2",
        "3 of 4 jobs, 10 min gone, about 10 min left: train derive 2 (5 min)",
        "4 of 4 jobs, 20 min gone",
    ]


def test_a_long_job_is_spoken_of_while_it_runs():
    run = Run()
    run.log.beat()
    run.begin(1, "train", arm="derive", seed="1")
    run.now = 59
    run.log.beat()
    assert run.out.getvalue() == "", "nothing ran, or not for long"
    for run.now in (60, 90, 130):
        run.log.beat()
    run.end(1)
    run.now = 200
    run.log.beat()
    assert run.out.getvalue().splitlines() == [
        "0 of 4 jobs, 1 min gone: train derive 1 (1 min)",
        "0 of 4 jobs, 2 min gone: train derive 1 (2 min)",
    ]


def test_a_failed_job_is_not_said_to_run():
    run = Run()
    run.begin(1, "generate", family="cipher", split="test")
    run.now = 20
    run.say(LogEvent.JOB_ERROR, jobid=1)
    run.begin(2, "train", arm="derive", seed="1")
    assert run.out.getvalue() == "0 of 4 jobs, 20 s gone: train derive 1\n"


def test_only_what_is_said_of_jobs_is_replaced():
    said = {event: is_of_jobs(logging.makeLogRecord({"event": event})) for event in LogEvent}
    assert said[LogEvent.JOB_INFO] and said[LogEvent.PROGRESS] and not said[LogEvent.JOB_ERROR]
    assert not said[LogEvent.ERROR] and not said[LogEvent.RUN_INFO]


def test_what_was_made_is_said_to_lie_where_it_lies(tmp_path):
    assert where(str(tmp_path / "none")) == ""
    for folder in ("config", "logs"):  # what an estimate leaves
        (tmp_path / folder).mkdir()
    assert where(str(tmp_path)) == ""
    (tmp_path / "puzzles").mkdir()
    assert where(str(tmp_path)) == f"Results lie in {tmp_path}/"
    (tmp_path / "figures").mkdir()
    assert where(str(tmp_path)).splitlines()[0] == f"Figures lie in {tmp_path}/figures/"
