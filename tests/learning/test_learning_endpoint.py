"""Endpoints, against a real HTTP server on this machine that decodes with a small model and misbehaves on demand.

And against one that other people wrote.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pyarrow.parquet as pq
import pytest
from transformers.utils.import_utils import is_serve_available

from common.artifacts import table_note, write_table
from common.errors import LabError
from learning import launch, sampling
from learning.backbones import load_model, load_tokenizer
from learning.decoders import read_decoder
from learning.engines import Request
from learning.engines.slots import decode_slots
from learning.engines.streams import Waiting
from learning.settings import BackboneOptions
from learning.tokens import SUFFIX
from learning_fixtures import (
    ROOT,
    asked,
    environment,
    greedy,
    last_error,
    rows,
    run,
    save_backbone,
    save_talker,
    script,
)

KEY = "sk-very-secret"
TRANSIENT = ("429", "500", "garbage", "no choices", "drop", "cut")


class Server(ThreadingHTTPServer):
    """Chat completions of a model. A prompt's `faults` come before its answer; `asked` counts requests.

    A fault is a word that the handler knows, or a function that changes the body.
    """

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.model, self.tokenizer = load_model(folder, BackboneOptions()).eval(), load_tokenizer(folder)
        self.faults: dict[str, list] = {}
        self.asked, self.requests, self.keys = Counter(), [], set()
        self.lock, self.open = threading.Lock(), threading.Event()
        self.open.set()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_):
        """Clients that went away are part of the tests."""

    def forget(self):
        self.faults, self.asked, self.requests, self.keys = {}, Counter(), [], set()
        self.open.set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        server = self.server
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = request["messages"][-1]["content"]
        prompt = text.removesuffix(SUFFIX)
        with server.lock:
            server.asked[prompt] += 1
            server.requests.append(request)
            server.keys.add(self.headers.get("authorization"))
            faults = server.faults.get(prompt) or server.faults.get("*") or []
            fault = faults.pop(0) if faults else ""
        server.open.wait(60)
        if fault in ("429", "500"):
            self.reply(int(fault), b"busy", retry_after="0")
        elif fault in ("400", "401"):
            self.reply(int(fault), f"you sent {self.headers.get('authorization')}".encode())
        elif fault == "garbage":
            self.reply(200, b"\xff\xfe<html>")
        elif fault == "no choices":
            self.reply(200, b'{"choices": []}')
        elif fault == "drop":
            self.close_connection = True
        elif fault == "cut":
            self.reply(200, b'{"choices": [{', length=999)
            self.close_connection = True
        elif fault == "silence":
            self.connection.recv(1)  # until the client goes away
            self.close_connection = True
        else:
            with server.lock:
                body = answer(server, text, request)
            self.reply(200, json.dumps(fault(body) if fault else body).encode())


def answer(server: Server, text: str, request: dict) -> dict:
    turn = [{"role": "user", "content": text}]
    asked = server.tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    ids = server.tokenizer.encode(asked, add_special_tokens=False)
    end = {server.tokenizer.eos_token_id}
    wanted = Waiting([Request(ids, request["max_tokens"], (request.get("seed", 0),))], end, frozenset(), 512)
    (made,) = decode_slots(server.model, wanted, temperature=request["temperature"], batch=1, pad=0)
    kept = made.tokens[:-1] if made.finish == "stop" else made.tokens
    message = {"role": "assistant", "content": server.tokenizer.decode(kept)}
    return {
        "model": "tiny-1",
        "choices": [{"index": 0, "message": message, "finish_reason": made.finish}],
        "usage": {"completion_tokens": len(made.tokens)},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endpoint")
    save_backbone(folder / "backbone", seed=3)
    write_table(folder / "texts.parquet", asked(12, seed=4))
    write_table(folder / "corpus.parquet", rows(9, seed=5))
    return folder


@pytest.fixture(scope="module")
def running(place):
    server = Server(place / "backbone")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def near(place, running):
    """What the same model writes without a server between."""
    here = {"options": BackboneOptions(), "backbone": str(place / "backbone")}
    sampling.sample(job(place, running, "near.parquet", **here))
    return known(place / "near.parquet")


def known(path):
    """A table of completions without what no server tells."""
    return pq.read_table(path).drop_columns(["logprob_sum", "logprob_mean"])


@pytest.fixture
def server(running, monkeypatch):
    running.forget()
    monkeypatch.setenv("TINY_KEY", KEY)
    return running


def job(place, server, out, max_tokens=6, decoder=None, **changes) -> sampling.SampleJob:
    endpoint = {"url": server.url, "model": "tiny", "key": "TINY_KEY", "wait": 0.01, "concurrency": 3}
    endpoint |= changes.pop("endpoint", {})
    options = BackboneOptions.read(json.dumps({"endpoint": endpoint}))
    decoder = read_decoder({"kind": "greedy", "max_tokens": max_tokens, "batch": 4, **(decoder or {})})
    settings = {"options": options, "decoder": decoder, "device": "cpu", "state": str(place / f"state-{out}")}
    files = {"backbone": "", "adapter": None, "texts": (str(place / "texts.parquet"),), "out": str(place / out)}
    return sampling.SampleJob(**{**settings, **files, **changes})


def test_an_endpoint_completes_as_the_model_does_here(place, server, near):
    sampling.sample(job(place, server, "far.parquet"))
    assert known(place / "far.parquet").equals(near)
    assert table_note(place / "far.parquet")["params"]["served"] == ["tiny-1"]
    assert all(request["temperature"] == 0 and request["max_tokens"] == 6 for request in server.requests)
    assert server.keys == {f"Bearer {KEY}"} and set(server.asked.values()) == {1}
    for file in place.rglob("far*"):
        assert KEY.encode() not in file.read_bytes()


@pytest.fixture(scope="module")
def talker(place):
    return save_talker(place / "talker")


@pytest.fixture
def transformers_serve(talker, tmp_path):
    """`transformers serve`, once it answers."""
    if not is_serve_available():
        pytest.skip("needs transformers[serving]")
    host, port, log = "127.0.0.1", launch.free_port(), tmp_path / "serve.log"
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", talker, "--device", "cpu"]
    command += ["--host", host, "--port", str(port)]
    with open(log, "w") as messages, subprocess.Popen(command, env=environment(), stderr=messages) as process:
        try:
            until = time.monotonic() + 240
            while not answers(f"http://{host}:{port}/health"):
                assert process.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
                time.sleep(0.1)
            yield SimpleNamespace(url=f"http://{host}:{port}/v1")
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 200
    except httpx2.TransportError:
        return False


def test_a_server_of_other_people(place, talker, transformers_serve):
    """It completes as the model does here; asked for a model that it does not serve, it says so."""
    asking = partial(job, place, transformers_serve, max_tokens=60)
    settings = {"key": "", "model": str(talker), "attempts": 1}
    sampling.sample(asking("served.parquet", endpoint=settings))
    sampling.sample(asking("unserved.parquet", options=BackboneOptions(), backbone=str(talker)))
    table = known(place / "served.parquet")
    assert table.equals(known(place / "unserved.parquet")) and set(table["finish"].to_pylist()) == {"stop", "length"}
    with pytest.raises(LabError, match="HTTP 400: .*requested 'another'"):
        sampling.sample(asking("another.parquet", endpoint=settings | {"model": "another"}))


def test_every_passing_fault_is_outlived(place, server, near):
    prompts = pq.read_table(place / "texts.parquet")["prompt"].to_pylist()
    server.faults = {prompt: [fault, fault] for prompt, fault in zip(prompts, TRANSIENT, strict=False)}
    sampling.sample(job(place, server, "outlived.parquet"))
    assert [server.asked[prompt] for prompt in prompts] == [3] * 6 + [1] * 6
    assert known(place / "outlived.parquet").equals(near)


def content(value) -> Callable[[dict], dict]:
    """A fault: the body with other content of its message."""

    def change(body: dict) -> dict:
        body["choices"][0]["message"]["content"] = value
        return body

    return change


def other(**fields) -> Callable[[dict], dict]:
    """A fault: the body with other values of its choice, its message, its usage or itself."""

    def change(body: dict) -> dict:
        for part in (body, body["choices"][0], body["choices"][0]["message"], body["usage"]):
            part.update({name: value for name, value in fields.items() if name in part})
        return body

    return change


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "sum"}]}
ANSWER = {"type": "text", "text": "\\boxed{1}"}
PARTS = {
    "text": ([ANSWER], "\\boxed{1}"),
    "two texts": ([{"type": "text", "text": "so "}, ANSWER], "so \\boxed{1}"),
    "thinking": ([THOUGHT, ANSWER], "<think>\nsum\n</think>\n\\boxed{1}"),
    "thinking alone": ([THOUGHT], "<think>\nsum"),
    "reasoning": ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "sum"}]}, ANSWER],
                  "<think>\nsum\n</think>\n\\boxed{1}"),
    "refusal": ([{"type": "refusal", "refusal": "no"}], "no"),
    "nothing": ([], ""),
    "an empty text": ([{"type": "text", "text": ""}], ""),
    "half a character": ("a\ud83dz", "a\ufffdz"),
    "two halves": ([{"type": "text", "text": "\ud83d"}, {"type": "text", "text": "\ude00"}], "\U0001f600"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_typed_parts_are_read_and_kept(place, server, name):
    given, read = PARTS[name]
    server.faults = {"*": [content(given)] * 99}
    sampling.sample(job(place, server, "parts.parquet"))
    table = pq.read_table(place / "parts.parquet")
    assert set(table["text"].to_pylist()) == {read} and set(server.asked.values()) == {1}


MALFORMED = {
    "a part of another kind": (content([{"type": "image_url", "image_url": {"url": "x"}}]), "a body"),
    "a part without its text": (content([{"type": "text"}]), "a body"),
    "a number": (content(5), "a body"),
    "a mapping": (content({"text": "a"}), "a body"),
    "a list of numbers": (content([1, 2]), "a body"),
    "no reason to end": (other(finish_reason=None), r"\(finish\)"),
    "a list of reasons": (other(finish_reason=["stop"]), r"\(finish\)"),
    "half a character as reason": (other(finish_reason="\ud800"), r"\(finish\)"),
    "tokens in words": (other(completion_tokens="many"), r"\(n_tokens\)"),
    "a truth for tokens": (other(completion_tokens=True), r"\(n_tokens\)"),
    "a share of a token": (other(completion_tokens=5.5), r"\(n_tokens\)"),
    "fewer than no tokens": (other(completion_tokens=-1), r"\(n_tokens\)"),
    "too many tokens": (other(completion_tokens=2**40), r"\(n_tokens\)"),
    "a list of models": (other(model=["m"]), r"\(served\)"),
    "half a character as model": (other(model="m\udfff"), r"\(served\)"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_reply_that_is_no_completion_is_never_kept(place, server, near, name):
    """It is asked again, and given up without a trace in the state, so that a run against a mended server goes on."""
    change, told = MALFORMED[name]
    prompts = pq.read_table(place / "texts.parquet")["prompt"].to_pylist()
    server.faults = {prompts[2]: [change] * 2, prompts[7]: [change] * 3}
    asking = job(place, server, "malformed.parquet", endpoint={"attempts": 3})
    with pytest.raises(LabError, match=f"row row-7: .*after 3 attempts; the last: HTTP 200 with .*{told}"):
        sampling.sample(asking)
    sampling.sample(asking)
    assert known(place / "malformed.parquet").equals(near)
    assert server.asked[prompts[7]] == 4 and server.asked[prompts[2]] == 3


GOOD = {"row": 0, "sample": 0, "text": "a", "n_tokens": 1, "n_decoded": 1, "finish": "stop", "logprob_sum": None}


@pytest.mark.parametrize(
    "bad",
    [{"text": [ANSWER]}, {"text": None}, {"text": "\ud800"}, {"n_tokens": "5"}, {"n_tokens": 2**31}, {"finish": None},
     {"row": "0"}, {"row": None}, {"sample": -1}, {"n_decoded": 0.5}, {"logprob_sum": "low"}, {"served": 5}],
)  # fmt: skip
def test_what_an_earlier_attempt_kept_is_checked_too(place, server, near, bad):
    """Rows whose record does not fit into the table, of whatever version, are asked again."""
    asking = job(place, server, "earlier.parquet")
    done = Path(asking.state, asking.fingerprint(), sampling.DONE)
    done.parent.mkdir(parents=True)
    done.write_text("\n".join(["[5]", "7", "{}", json.dumps([GOOD | bad]), json.dumps([GOOD | {"row": 1}])]))
    assert set(sampling.kept(done)) == {(1, 0)}
    sampling.sample(asking)
    assert sum(server.asked.values()) == 11
    assert known(place / "earlier.parquet").slice(2).equals(near.slice(2))


def test_a_decoder_of_ours_keeps_nothing_that_does_not_fit(place, server, monkeypatch):
    asking = job(place, server, "ours.parquet")
    monkeypatch.setattr(type(asking.decoder), "decode", lambda *args: iter([[GOOD | {"text": 5}]]))
    with pytest.raises(LabError, match="row row-0, field text: 5 cannot be kept"):
        sampling.sample(asking)
    assert not sampling.kept(Path(asking.state, asking.fingerprint(), sampling.DONE))


def test_how_a_server_is_asked_decides_nothing(place, server):
    """What was paid for stays when only the manner is edited; another model or parameter is another experiment."""
    plain = job(place, server, "manner.parquet")
    manners = [{"concurrency": 1}, {"attempts": 2}, {"wait": 3}, {"timeout": 5}, {"key": ""}]
    same = [job(place, server, "manner.parquet", endpoint=manner) for manner in manners]
    same += [job(place, server, "manner.parquet", decoder={"batch": 99})]
    assert {each.fingerprint() for each in same} == {plain.fingerprint()}
    others = [{"url": "http://127.0.0.1:9/v2"}, {"model": "large"}, {"parameters": {"seed": 1}}]
    changed = [job(place, server, "manner.parquet", endpoint=other).fingerprint() for other in others]
    changed += [job(place, server, "manner.parquet", max_tokens=7).fingerprint()]
    assert len({plain.fingerprint(), *changed}) == 5


def test_a_server_that_says_nothing_is_asked_again(place, server, near):
    prompts = pq.read_table(place / "texts.parquet")["prompt"].to_pylist()
    server.faults = {prompts[6]: ["silence"]}
    sampling.sample(job(place, server, "silence.parquet", endpoint={"timeout": 5, "attempts": 50}))
    assert server.asked[prompts[6]] >= 2
    assert known(place / "silence.parquet").equals(near)


def test_a_row_that_is_given_up_keeps_the_others(place, server, near):
    """The failing row is named, the finished ones are not asked again, nothing that looks whole is left."""
    prompts = pq.read_table(place / "texts.parquet")["prompt"].to_pylist()
    server.faults = {prompts[7]: ["500", "429", "garbage"]}
    asking = job(place, server, "later.parquet", endpoint={"attempts": 3, "concurrency": 1})
    with pytest.raises(LabError, match="row row-7: .*no completion after 3 attempts; the last: HTTP 200 with a body"):
        sampling.sample(asking)
    assert not (place / "later.parquet").exists()
    first = dict(server.asked)
    assert set(prompts[:8]) <= set(first) and len(first) < 10 and first[prompts[7]] == 3  # the next may be under way
    sampling.sample(asking)
    assert server.asked - Counter(first) == Counter([prompts[7], *(p for p in prompts if p not in first)])
    assert known(place / "later.parquet").equals(near)
    assert not list((place / "state-later.parquet").iterdir())


@pytest.mark.parametrize(("status", "told"), [("400", r"HTTP 400: you sent Bearer \*\*\*"), ("401", "TINY_KEY")])
def test_a_refusal_is_not_repeated_and_hides_the_key(place, server, status, told):
    server.faults = {"*": [status] * 99}
    with pytest.raises(LabError, match=told) as caught:
        sampling.sample(job(place, server, "refused.parquet", endpoint={"concurrency": 1}))
    assert KEY not in str(caught.value) and caught.value.__cause__ is None and sum(server.asked.values()) <= 2


@pytest.mark.parametrize("value", ["", " ", "two\nlines", "schlüssel"])
def test_a_key_that_cannot_be_one(place, server, monkeypatch, value):
    monkeypatch.setenv("TINY_KEY", value)
    with pytest.raises(LabError, match="field endpoint.key: the environment variable TINY_KEY holds no key"):
        sampling.sample(job(place, server, "keyless.parquet"))
    assert not server.asked


def test_a_killed_job_asks_for_what_is_missing_only(place, server, near):
    """kill -9 in the middle, one line half written; the second attempt asks for the other rows."""
    options = {"endpoint": {"url": server.url, "model": "tiny", "key": "TINY_KEY", "concurrency": 1, "wait": 0.01}}
    command = ["--texts", place / "texts.parquet", "--backbone-options", json.dumps(options), *greedy(6)]
    command += ["--state", place / "state-killed", "--out", place / "killed.parquet"]
    prompts = pq.read_table(place / "texts.parquet")["prompt"].to_pylist()
    process = subprocess.Popen(script("sample", *command), env=environment(), cwd=ROOT, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 120
        while len(server.asked) < 5 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        server.open.clear()
        (done,) = (place / "state-killed").glob("*/done.jsonl")
        time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    server.open.set()
    kept = sampling.kept(done)
    assert 4 <= len(kept) < 12 and all(sample == 0 for _, sample in kept) and not (place / "killed.parquet").exists()
    with open(done, "a") as log:
        log.write('\n[{"row": 11, "te')
    server.asked.clear()
    again = run("sample", *command)
    assert again.returncode == 0, again.stderr[-2000:]
    assert server.asked == Counter(prompt for i, prompt in enumerate(prompts) if (i, 0) not in kept)
    assert known(place / "killed.parquet").equals(near)
    assert KEY not in again.stderr


def test_nobody_listens(place, server, monkeypatch):
    options = {"endpoint": {"url": "http://127.0.0.1:9/v1", "model": "tiny", "wait": 0.01, "attempts": 2}}
    done = run(
        "sample", "--texts", place / "texts.parquet", "--backbone-options", json.dumps(options), *greedy(6),
        "--state", place / "state-nobody", "--out", place / "nobody.parquet",
    )  # fmt: skip
    assert "no completion after 2 attempts; the last: ConnectError" in last_error(done)


def test_examples_stand_in_the_prompt_and_differ_by_seed(place, server):
    shown = rows(9, seed=5)
    for seed in (1, 2):
        settings = {"corpus": str(place / "corpus.parquet"), "shots": 4, "seed": seed}
        sampling.sample(job(place, server, f"shots-{seed}.parquet", **settings))
        texts = [request["messages"][0]["content"] for request in server.requests[-12:]]
        own = shown[4 * (seed - 1) : 4 * seed]
        for text in texts:
            assert all(f"{e['prompt']}{SUFFIX}\n\n{e['completion']}\n\n" in text for e in own)
            assert text.count(SUFFIX) == 5
        prompts = pq.read_table(place / f"shots-{seed}.parquet")["prompt"].to_pylist()
        assert prompts == [row["prompt"] for row in rows(12, seed=4)]
    with pytest.raises(LabError, match="9 examples of sums; seed 3 needs 12, 4 of its own"):
        sampling.sample(job(place, server, "shots-3.parquet", **settings | {"seed": 3}))


def test_the_most_frequent_answer(place, tmp_path):
    examples = [row | {"answer": answer} for row, answer in zip(rows(5), ["7", "5", "12", "5", "12"], strict=True)]
    write_table(tmp_path / "corpus.parquet", examples)
    command = ["--texts", place / "texts.parquet", "--backbone-options", '{"baseline": "most-frequent"}', *greedy(6)]
    command += ["--corpus", tmp_path / "corpus.parquet", "--state", tmp_path / "s", "--out", tmp_path / "out.parquet"]
    done = run("sample", *command, "--shots", 5)
    assert done.returncode == 0, done.stderr[-2000:]
    table = pq.read_table(tmp_path / "out.parquet")
    assert set(table["text"].to_pylist()) == {"<think>\n</think>\n\\boxed{12}"} and table.num_rows == 12
    assert "the most frequent of 0 answers" in last_error(run("sample", *command))


def test_thinking_that_the_server_keeps_apart():
    from learning.engines.endpoint import text_of

    assert text_of({"content": "a", "reasoning_content": "\nb\n"}) == "<think>\nb\n</think>\na"
    assert text_of({"content": None, "reasoning": "b"}) == text_of({"reasoning_content": "b"}) == "<think>\nb"
    assert text_of({"content": "b\n</think>\na"}) == "<think>\nb\n</think>\na"
    assert text_of({"content": None}) == ""
