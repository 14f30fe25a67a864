"""What the stories play on: the real program, a model server that answers when it is told to, and a browser."""

import json
import os
import re
import subprocess
import tempfile
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target" / "debug" / "tradingagents"
PICTURES = ROOT / "target" / "browser"
AXE = (PICTURES / "tools" / "node_modules" / "axe-core" / "axe.min.js").read_text()
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
           --disable-component-update --disable-sync""".split()

# What would do something in a page that let it.
HOSTILE = """<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">
[here](javascript:window.hacked=1) ![seen](https://tracker.example/x.png) [fine](https://example.com/)"""


class Model(ThreadingHTTPServer):
    """Ollama's API, as far as the program asks. A chat is answered once there is a permit for it."""

    daemon_threads = True

    def __init__(self, permits=None):
        super().__init__(("127.0.0.1", 0), Answer)
        self.permits = threading.Semaphore(permits) if permits is not None else None
        self.says = "The trend is up.\n\n- support holds\n- **momentum** is positive\n\n| level | price |\n|:--|--:|\n| stop | 680.44 |"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def allow(self, chats):
        self.permits.release(chats)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        try:
            self.wfile.write(text)
        except BrokenPipeError:
            pass  # the job was cancelled

    def do_GET(self):
        self.reply({"version": "0.12.0", "models": [{"name": "fake:1b", "model": "fake:1b"}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path != "/api/chat":
            return self.reply({"capabilities": ["completion", "tools"], "model_info": {}})
        if self.server.permits:
            self.server.permits.acquire()
        says = self.server.says
        form = asked.get("format")
        if form:
            says = json.dumps(filled(form, form, says))
        message = {"role": "assistant", "content": says}
        used = {"done": True, "done_reason": "stop", "prompt_eval_count": 1200, "eval_count": 180}
        self.reply({"model": asked["model"], "message": message, **used})


def filled(schema, root, says):
    """A document that keeps to a schema."""
    if "$ref" in schema:
        return filled(root["$defs"][schema["$ref"].split("/")[-1]], root, says)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return filled(schema[several][0], root, says)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: filled(part, root, says) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [filled(schema["items"], root, says)]
    return {"integer": 5, "number": 5.0, "boolean": True}.get(kind, says)


def environment(settings):
    own = {"PATH": os.environ["PATH"], "API_LISTEN": "127.0.0.1:0", "VENDOR_GATEWAY": "http://127.0.0.1:9"}
    return own | {"PRICE_VENDORS": "sample"} | {name: str(value) for name, value in settings.items()}


def backtest(results):
    """Makes a backtest in this folder of results; gives its name."""
    made = [PROGRAM, "backtest", "AAPL", "--from", "2012-01-03", "--to", "2012-03-30", "--offline"]
    subprocess.run(made, cwd=results, env=environment({"RESULTS_DIR": results}), check=True, capture_output=True)
    return os.listdir(f"{results}/backtests")[0]


@contextmanager
def service(**settings):
    """The program with API and worker on a free port; gives its URL."""
    with tempfile.TemporaryDirectory() as folder:
        offline = [] if "LLM_PROVIDER" in settings else ["--offline"]
        program = subprocess.Popen(
            [PROGRAM, "serve", *offline],
            cwd=folder, env=environment(settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        try:
            for line in program.stdout:
                if found := re.search(r"listens on (http://[\d.:]+)", line):
                    break
            else:
                raise AssertionError("the program ended before it listened")
            threading.Thread(target=lambda: [None for _ in program.stdout], daemon=True).start()
            yield found[1]
        finally:
            program.kill()
            program.wait()


def slow(model):
    """The settings of a service whose jobs wait for the model."""
    models = {"DEEP_THINK_LLM": "fake:1b", "QUICK_THINK_LLM": "fake:1b"}
    return {"LLM_PROVIDER": "ollama", "OLLAMA_BASE_URL": model.url} | models


def post(url, path, body, key=None):
    """What the API answers to a program."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))


def get(url, path):
    """What the API tells a program."""
    return json.load(urllib.request.urlopen(url + path))


def ended(url, job, key=None):
    """Waits for the end of a job's event stream."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    urllib.request.urlopen(urllib.request.Request(f"{url}/jobs/{job}/events", headers=headers)).read()


class Window:
    """A page of the browser that notes what must not happen: errors, and requests to another host."""

    def __init__(self, browser, url, width=1280, scheme="light", silent=()):
        self.url = url
        self.wrong = []
        self.silent = silent
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", self.note)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self.leaves)

    def note(self, message):
        if message.type in ("error", "warning") and not any(text in message.text for text in self.silent):
            self.wrong.append(f"console: {message.text}")

    def leaves(self, request):
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.wrong.append(f"asked {request.url}")

    def open(self, path):
        self.page.goto(self.url + path)
        return self.page

    def check(self, name, picture=True):
        """Nothing serious for axe, no way to scroll aside; and a picture."""
        page = self.page
        # A script of the test's own, which the page's policy would not let in as an element.
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [f"{it['id']}: {it['nodes'][0]['html'][:160]} ({it['nodes'][0]['failureSummary'][:300]})"
                   for it in found if it["impact"] in ("serious", "critical")]
        assert not serious, f"{name}: {serious}"
        aside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert aside <= 0, f"{name} is {aside} px too wide"
        if picture:
            page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def close(self):
        self.context.close()
        assert not self.wrong, self.wrong


@contextmanager
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def window(chromium, url, **options):
    opened = Window(chromium, url, **options)
    yield opened
    opened.close()
