#!/usr/bin/python3
"""Stands in for Ollama, at the wire and on its command line: `ollama serve`, `ollama list`, and for the tests
`ollama hold`, after which answers wait, and `ollama release`. At /vendors it stands in for Yahoo's bars too.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

MODEL = "qwen3:8b"
answering = threading.Event()
answering.set()


DAY = 24 * 3600


def bars():
    """Yahoo's chart: a bar for each of 300 days up to 2012-09-19."""
    days = [1348012800 - DAY * before for before in reversed(range(300))]
    prices = [100.0 + number for number in range(300)]
    quote = {name: prices for name in ("open", "high", "low", "close", "volume")}
    indicators = {"quote": [quote], "adjclose": [{"adjclose": prices}]}
    result = {"meta": {"gmtoffset": 0}, "timestamp": days, "indicators": indicators}
    return {"chart": {"error": None, "result": [result]}}


def filled(schema):
    """A value that keeps to a schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: filled(value) for name, value in schema["properties"].items()}
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    return {"number": 5, "integer": 5, "string": "The evidence says so."}.get(kind)


class Ollama(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/api/tags":
            self.answer({"models": [{"name": MODEL, "model": MODEL, "size": 1}]})
        elif self.path == "/api/version":
            self.answer({"version": "0.12.6"})
        elif self.path.startswith("/vendors/query2.finance.yahoo.com/v8/finance/chart/"):
            self.answer(bars())
        else:
            self.answer({"error": "not found"}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path == "/hold":
            answering.clear()
            self.answer({})
        elif self.path == "/release":
            answering.set()
            self.answer({})
        elif self.path == "/api/pull":
            self.answer({"status": "success"})
        elif body.get("model") != MODEL:
            self.answer({"error": f'model "{body.get("model")}" not found, try pulling it first'}, 404)
        elif self.path == "/api/show":
            self.answer({"capabilities": ["completion"], "model_info": {}})
        elif self.path == "/api/chat":
            answering.wait()
            text = json.dumps(filled(body["format"])) if "format" in body else "The evidence is mixed."
            self.answer(
                {
                    "message": {"role": "assistant", "content": text},
                    "done": True,
                    "done_reason": "stop",
                    "prompt_eval_count": 100,
                    "eval_count": 10,
                }
            )
        else:
            self.answer({"error": "not found"}, 404)

    def answer(self, value, status=200):
        text = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        print(self.command, self.path, flush=True)


def ask(path, body=None):
    with urlopen(Request(f"http://127.0.0.1:11434{path}", data=body), timeout=5) as answer:
        return json.load(answer)


command = sys.argv[1]
if command == "serve":
    print("listening on 11434", flush=True)
    ThreadingHTTPServer(("0.0.0.0", 11434), Ollama).serve_forever()
elif command == "list":
    for model in ask("/api/tags")["models"]:
        print(model["name"])
else:
    ask(f"/{command}", b"{}")
