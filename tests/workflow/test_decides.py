"""Of an entry's settings, only those that decide a result make it anew: paid requests, hours of training."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from test_workflow import copy, edited, planned, snakemake

from common.config import ARM_COLUMNS

ASKED = "results/decides/completions/asked/seed-1/greedy/test.parquet"
TRAINED = "results/decides/adapters/trained/seed-1/adapter_config.json"
VOICE = "results/decides/native_voice/own/numeral/forward/reveal-0.parquet"
ARMS = """
asked\tnumeral\tforward\t0\tnone\tall\t0\tserver\tin-context\t1
trained\tnumeral\tforward\t0\tnone\tall\t8\town\tshort\t1
"""
RECIPE = {"method": "full", "lr": 0.001, "schedule": "linear", "batch": 8, "epochs": 1, "max_length": 512}
OWN = {"width": 32, "layers": 1, "heads": 2, "head_size": 16, "feed_forward": 32, "context": 1024, "start": "random"}
OWN |= {"steps": 0}
RUN = {"run": "decides", "rows": {"train": {"default": 12}, "test": {"default": 3}}}
RUN |= {name: f"config/decides.{name}.yaml" for name in ("backbones", "recipes")} | {"arms": "config/decides.tsv"}
WORDS = ("--configfile", "config/decides.yaml")


class Handler(BaseHTTPRequestHandler):
    """Completes everything with the same answer."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        choice = {"message": {"content": "\\\\boxed{XIV}"}, "finish_reason": "stop"}
        body = json.dumps({"model": "m", "choices": [choice], "usage": {"completion_tokens": 5}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run of an endpoint, a training and a native voice, all done."""
    folder = copy(tmp_path_factory.mktemp("decides"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = {"url": f"http://127.0.0.1:{server.server_port}/v1", "model": "m", "concurrency": 2}
    backbones = {"server": {"endpoint": endpoint}, "own": {"make": OWN}}
    for name, content in (("", RUN), (".backbones", backbones), (".recipes", {"short": RECIPE})):
        (folder / f"config/decides{name}.yaml").write_text(yaml.safe_dump(content))
    (folder / "config/decides.tsv").write_text("\t".join(ARM_COLUMNS) + ARMS)
    done = snakemake(folder, ASKED, TRAINED, VOICE, *WORDS)
    server.shutdown()
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def replanned(folder: Path, name: str, change: dict, *targets: str) -> set[str]:
    """The rules that are planned again once an entry of backbones.yaml is changed."""

    def edit(text: str) -> str:
        entries = yaml.safe_load(text)
        for key, value in change.items():
            part = entries[name]
            *path, last = key.split(".")
            for step in path:
                part = part[step]
            part[last] = value
        return yaml.safe_dump(entries)

    with edited(folder / RUN["backbones"], edit):
        return set(planned(folder, *targets, *WORDS))


@pytest.mark.slow
def test_paid_requests_are_asked_again_for_another_answer_only(finished):
    manner = {"concurrency": 7, "attempts": 3, "wait": 5, "timeout": 60, "key": "SOME_KEY"}
    assert replanned(finished, "server", {f"endpoint.{k}": v for k, v in manner.items()}, ASKED) == set()
    more = {"decoding": {"batch": 7}}  # rows share no batch on a server
    with edited(finished / "config/decides.yaml", lambda text: text + yaml.safe_dump(more)):
        assert planned(finished, ASKED, *WORDS) == {}
    for name, value in (("model", "large"), ("url", "http://127.0.0.1:9/v2"), ("parameters", {"seed": 1})):
        assert replanned(finished, "server", {f"endpoint.{name}": value}, ASKED) == {"sample"}, name


@pytest.mark.slow
def test_a_backbone_is_made_anew_for_other_weights_only(finished):
    both = (TRAINED, VOICE)
    assert replanned(finished, "own", {"engine": "generate"}, *both) == set()
    assert replanned(finished, "own", {"packing": False}, *both) == {"train"}
    assert replanned(finished, "own", {"targets": ["q_proj"]}, *both) == {"train"}
    assert replanned(finished, "own", {"zero_stage": 3}, *both) == {"train"}
    assert replanned(finished, "own", {"attention": "sdpa"}, *both) == {"train", "native_voice"}
    assert replanned(finished, "own", {"make.width": 64}, *both) == {"backbone", "train", "native_voice"}


@pytest.mark.slow
def test_another_number_of_rows_is_another_corpus(finished):
    with edited(finished / RUN["arms"], lambda text: text.replace("\tall\t8\t", "\tall\t9\t")):
        assert {"corpus", "train"} <= set(planned(finished, TRAINED, *WORDS))
    assert planned(finished, TRAINED, *WORDS) == {}
