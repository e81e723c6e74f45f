"""What one scores without reading the problem: every row of a family gets its family's most frequent example answer."""

from collections import Counter
from collections.abc import Iterator, Mapping

from common.errors import LabError
from learning.sampling import Job, Question


def complete(job: Job, questions: Mapping[int, Question], shown: Mapping[str, list[dict]]) -> Iterator[list[dict]]:
    """All rows at once; of equally frequent answers the first in alphabetical order."""
    if not job.shots:
        raise LabError("the most frequent of 0 answers", field="--shots")
    best = {}
    for family, rows in shown.items():
        counts = Counter(row["answer"] for row in rows)
        best[family] = min(counts, key=lambda answer: (-counts[answer], answer))
    yield [
        {
            "row": i,
            "text": f"<think>\n</think>\n\\boxed{{{best[question.family]}}}",
            "n_tokens": 0,
            "finish": "stop",
            "logprob_sum": None,
        }
        for i, question in questions.items()
    ]
