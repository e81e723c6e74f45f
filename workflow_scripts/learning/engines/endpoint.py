"""Completions from an OpenAI-compatible server: many requests at a time, each repeated while that can help."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event

import httpx2
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
    wait_random_exponential,
)

from common.errors import LabError
from learning.engines import Extension, Opening, Question, Request
from learning.records import fault
from learning.settings import Endpoint
from learning.tokens import SUFFIX

LONGEST_WAIT = 120  # seconds, whatever the server asks for
THOUGHTS = ("thinking", "reasoning", "reasoning_text", "summary_text")  # types of the parts of a message
TEXTS = ("text", "output_text", "refusal")
PASSING = (408, 409, 425, 429)  # and every status from 500


class Unanswered(Exception):
    """A reply without a completion; another may have one. wait: seconds that the server asks for."""

    def __init__(self, message: str, wait: float = 0):
        super().__init__(message)
        self.wait = wait


class Engine:
    """A server; it tells texts, not tokens."""

    together = 0

    def __init__(self, opening: Opening):
        self.endpoint = opening.options.endpoint
        self.key = secret(self.endpoint)

    def begin(self, question: Question, written: str = "") -> Question:
        """See learning.engines.Engine."""
        return question

    def text(self, tokens: Sequence[int]) -> str:
        """See learning.engines.Engine."""
        raise LabError("a server tells no tokens", field="endpoint")

    def extend(
        self,
        requests: Sequence[Request],
        *,
        temperature: float = 0.0,
        stop: frozenset[int] = frozenset(),
        keep: bool = False,
    ) -> Iterator[Extension]:
        """As they come. The first row that is given up ends it, once those under way are kept."""
        endpoint, key = self.endpoint, self.key
        stopped = Event()
        retrying = Retrying(
            retry=retry_if_exception_type((Unanswered, httpx2.RequestError)),
            stop=stop_after_attempt(endpoint.attempts) | stop_when_event_set(stopped),
            wait=Pause(endpoint.wait),
            sleep=sleep_using_event(stopped),
        )
        client = httpx2.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=endpoint.timeout,
            limits=httpx2.Limits(max_connections=endpoint.concurrency),
        )

        def answer(question: Question, budget: int, seed: int) -> dict:
            drawn = {"temperature": temperature, "seed": seed} if temperature else {"temperature": 0}
            try:
                return retrying.copy()(ask, client, endpoint, question.text, budget, drawn)
            except RetryError as error:
                last = error.last_attempt.exception()
                message = f"no completion after {error.last_attempt.attempt_number} attempts; the last: "
                message += f"{type(last).__name__} {last}".removeprefix(f"{Unanswered.__name__} ")
            except LabError as error:
                message = str(error)
            raise LabError(f"{endpoint.url}: {hide(message, key)}", row=question.id) from None

        pool = ThreadPoolExecutor(endpoint.concurrency)
        asked = {
            pool.submit(answer, request.beginning, request.budget, seed): (i, j)
            for i, request in enumerate(requests)
            for j, seed in enumerate(request.seeds)
        }
        failure = None
        try:
            for future in as_completed(asked):
                if future.cancelled():
                    continue
                if error := future.exception():
                    if failure is None:
                        failure = error
                        stopped.set()
                        for other in asked:
                            other.cancel()
                else:
                    yield Extension(*asked[future], **future.result())
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            client.close()
        if failure:
            raise failure


class Pause(wait_random_exponential):
    """Exponential back-off with jitter, and no less than the server asks for."""

    def __init__(self, first: float):
        super().__init__(multiplier=first, max=LONGEST_WAIT)

    def __call__(self, retry_state: RetryCallState) -> float:
        wanted = getattr(retry_state.outcome.exception(), "wait", 0)
        return max(super().__call__(retry_state), min(wanted, LONGEST_WAIT))


def ask(client: httpx2.Client, endpoint: Endpoint, text: str, budget: int, drawn: Mapping[str, object]) -> dict:
    """One request. drawn: the settings of the draw.

    Raises Unanswered and httpx2.RequestError where another may succeed, LabError where the server refuses it.
    """
    request = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": text + SUFFIX}],
        **drawn,
        "max_tokens": budget,
        **endpoint.parameters,
    }
    reply = client.post(
        f"{endpoint.url.rstrip('/')}/chat/completions", json={k: v for k, v in request.items() if v is not None}
    )
    if reply.status_code in PASSING or reply.status_code >= 500:
        asked = reply.headers.get("retry-after", "")
        raise Unanswered(f"HTTP {reply.status_code}", float(asked) if asked.isdigit() else 0)
    if reply.status_code in (401, 403):  # without the body, in which some servers repeat the key
        raise LabError(f"HTTP {reply.status_code}; the key in {endpoint.key or 'no variable'} does not open it")
    if reply.status_code != 200:
        raise LabError(f"HTTP {reply.status_code}: {' '.join(reply.text.split())[:300]}")
    try:
        body = reply.json()
        choice = body["choices"][0]
        usage = body.get("usage") or {}
        record = {
            "text": text_of(choice["message"]),
            "n_tokens": usage.get("completion_tokens"),
            "finish": choice["finish_reason"],
            "served": named(body.get("model"), body.get("system_fingerprint")),
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Unanswered("HTTP 200 with a body that is no completion") from None
    if wrong := fault(record):
        raise Unanswered(f"HTTP 200 with a body that is no completion ({wrong})")
    return record


def named(*parts: object) -> object:
    """What a server says of itself, joined; as it came where that is not text, which the record's check refuses."""
    said = [part for part in parts if part]
    return " ".join(said) if all(isinstance(part, str) for part in said) else said


def text_of(message: Mapping[str, object]) -> str:
    """The thinking, also where the server keeps it apart or its template opens it, and the rest."""
    thinking, content = words(message.get("reasoning_content") or message.get("reasoning")), message.get("content")
    if not thinking and "content" not in message:  # some servers leave out a null beside the thinking
        raise ValueError("no content")
    if isinstance(content, list):
        thoughts = [part for part in content if isinstance(part, dict) and part.get("type") in THOUGHTS]
        thinking += words(thoughts)
        content = [part for part in content if part not in thoughts]
    thinking, content = whole_characters(thinking), whole_characters(words(content))
    if thinking:
        return f"<think>\n{thinking.strip()}" + (f"\n</think>\n{content.lstrip()}" if content else "")
    if "</think>" in content and "<think>" not in content:
        return "<think>\n" + content.lstrip()
    return content


def words(value: object) -> str:
    """The text of a field: a text, nothing, or a list of typed parts; raises ValueError for anything else."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return "".join(map(words, value))
    if isinstance(value, dict) and value.get("type") in (*THOUGHTS, *TEXTS):
        held = [value[name] for name in ("text", "thinking", "reasoning", "summary", "refusal") if name in value]
        if held:
            return "".join(map(words, held))
    raise ValueError(f"no text: {value!r}")


def whole_characters(text: str) -> str:
    """The text with both halves of a character put together, and a replacement character for a half alone."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def secret(endpoint: Endpoint) -> str:
    """The key, from the environment; "" where the entry names no variable."""
    key = os.environ.get(endpoint.key, "").strip() if endpoint.key else ""
    if endpoint.key and not (key and key.isascii() and key.isprintable()):
        raise LabError(f"the environment variable {endpoint.key} holds no key", field="endpoint.key")
    return key


def hide(message: str, key: str) -> str:
    return message.replace(key, "***") if key else message
