"""A stack to tell stories on: a copy of the stack's files in a folder of its own, on a port of its own."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent.parent
DOCKER = shlex.split(os.environ.get("DOCKER", "docker"))
# What runs a command where Docker is: the same words without the last.
THERE = DOCKER[:-1]
CDI = Path(os.environ.get("CDI", "/etc/cdi"))
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
API, WORKER = f"tradingagents-api:{VERSION}", f"tradingagents-worker:{VERSION}"
REDIS, OLLAMA = "redis:8", "ollama/ollama:0.12.6"
SERVICES = {"api", "worker", "redis", "ollama"}
PATIENCE = 120


class Stack:
    """A copy of the stack's files in a folder of its own, on a port of its own."""

    def __init__(self, **settings):
        self.folder = Path(tempfile.mkdtemp(prefix="tradingagents-stack-"))
        for name in ("compose.yaml", ".env.example"):
            shutil.copy(ROOT / name, self.folder)
        self.project = self.folder.name.lower()
        self.port = free_port()
        self.settings = {"API_PORT": str(self.port), "JOB_LEASE": "3", "JOB_RETRY_BACKOFF": "0", **settings}
        self.write_env()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.compose("down", "--volumes", "--timeout", "5", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write_env(self):
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        (self.folder / ".env").write_text("".join(lines))

    def compose(self, *arguments, check=True):
        command = [*DOCKER, "compose", "--project-name", self.project, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}{self.logs()}")
        return done

    def logs(self):
        done = subprocess.run([*DOCKER, "compose", "--project-name", self.project, "logs", "--tail", "20"], cwd=self.folder, capture_output=True, text=True)
        return done.stdout

    def up(self, *arguments):
        return self.compose("up", "--detach", "--wait", "--wait-timeout", str(PATIENCE), *arguments)

    def inspect(self, service):
        container = self.compose("ps", "--all", "--quiet", service).stdout.split()[0]
        return json.loads(docker("inspect", container).stdout)[0]

    def ask(self, path, body=None, method=None):
        """The status and JSON of an answer."""
        data = json.dumps(body).encode() if body is not None else None
        request = Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    def submit(self, **config):
        config = {"selected_analysts": ["market"], **config}
        code, job = self.ask("/jobs", {"ticker": "AAPL", "date": "2012-09-19", "config": config})
        assert code == 202, job
        return job["job_id"]

    def events(self, job, until=lambda event: False):
        """The events of a job to its last, or to the first that `until` picks."""
        seen = []
        with urlopen(f"http://127.0.0.1:{self.port}/jobs/{job}/events", timeout=PATIENCE) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    seen.append(json.loads(line[5:]))
                    if until(seen[-1]):
                        break
        return seen

    def ended(self, job):
        self.events(job)
        return self.ask(f"/jobs/{job}")[1]

    def ollama(self, command):
        self.compose("exec", "-T", "ollama", "ollama", command)


def docker(*arguments, check=True):
    return subprocess.run([*DOCKER, *arguments], capture_output=True, text=True, check=check)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def expect(holds, *told):
    if not holds:
        raise AssertionError(" ".join(map(str, told)))


def kinds(events):
    return [event["type"] for event in events]
