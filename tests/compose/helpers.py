"""Stories of `nix run .#up` and its like: their scripts as they stand in nix/apps, on a stack of their own."""

import os
import shutil
import signal
import socket
import subprocess

from stack import API, ROOT, THERE, WORKER, Stack, docker, expect

APPS = ROOT / "nix/apps"


def command(stack, name, *arguments, program=None, archive="/dev/null"):
    """The words that run a helper, as nix/apps.nix makes it."""
    program = program or docker("image", "inspect", "--format", "{{index .Config.Entrypoint 0}}", API).stdout.strip()
    parts = [f"command={name}", f"IMAGES={archive}", f"PROGRAM={program}"]
    parts += [(APPS / file).read_text() for file in ("common.sh", f"{name}.sh")]
    project = f"COMPOSE_PROJECT_NAME={stack.project}"
    return [*THERE, "env", project, "UP_TIMEOUT=60", "sh", "-c", "\n".join(parts), name, *arguments]


def run(stack, name, *arguments, answer="", **build):
    words = command(stack, name, *arguments, **build)
    return subprocess.run(words, cwd=stack.folder, input=answer, capture_output=True, text=True)


def up_waits_until_all_is_well_and_says_where_the_api_is():
    with Stack() as stack:
        done = run(stack, "up", "--scale", "worker=2")
        expect(done.returncode == 0, done.stdout, done.stderr)
        expect(f"the API is at http://127.0.0.1:{stack.port}" in done.stdout, done.stdout)
        expect("GPU: none" in done.stdout and "loading" not in done.stdout, done.stdout)
        expect(stack.ask("/health")[1]["components"]["workers"]["count"] == 2)

        log = subprocess.Popen(command(stack, "logs", "api"), cwd=stack.folder, stdout=subprocess.PIPE, text=True, start_new_session=True)
        expect("api" in log.stdout.readline())
        os.killpg(log.pid, signal.SIGKILL)

        refused = run(stack, "down", "--volumes", answer="no\n")
        expect(refused.returncode == 1 and "nothing was deleted" in refused.stderr, refused.stderr)
        expect(stack.ask("/health")[0] == 200, "it still runs")
        expect(run(stack, "down").returncode == 0)
        expect(f"{stack.project}_redis_data" in volumes(), "the volumes stay")
        expect(run(stack, "down", "--volumes", answer="yes\n").returncode == 0)
        expect(f"{stack.project}_redis_data" not in volumes(), "the volumes are gone")


def volumes():
    return docker("volume", "ls", "--quiet").stdout.split()


def up_names_the_service_that_is_not_well_and_shows_its_last_lines():
    with Stack(LLM_PROVIDER="nobody") as stack:
        done = run(stack, "up")
        expect(done.returncode == 1, done.stdout)
        expect("up: api is" in done.stderr and "LLM_PROVIDER" in done.stderr, done.stderr)
        expect("docs/TROUBLESHOOTING.md" in done.stderr, done.stderr)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Stack(API_PORT=taken.getsockname()[1]) as stack:
            done = run(stack, "up")
            expect(done.returncode == 1 and "up: api is created" in done.stderr, done.stderr)


def up_loads_the_images_of_this_checkout_where_docker_has_others():
    with Stack() as stack:
        archive = stack.folder / "images.tar"
        docker("save", "--output", str(archive), API, WORKER)
        done = run(stack, "up", program="/another/build", archive=archive)
        expect("is of another build" in done.stdout and f"Loaded image: {API}" in done.stdout, done.stdout, done.stderr)


def the_debug_build_runs_in_the_images_and_is_replaced_by_a_restart():
    with Stack() as stack:
        shutil.copy(ROOT / "compose.dev.yaml", stack.folder)
        stack.settings |= {"REDIS_PORT": "0", "OLLAMA_PORT": "0", "COMPOSE_FILE": "compose.yaml:compose.dev.yaml"}
        stack.write_env()
        build = stack.folder / "target/debug"
        build.mkdir(parents=True)
        shutil.copy(ROOT / "target/release/tradingagents", build)
        stack.up()
        expect(stack.ask("/health")[0] == 200)
        expect("DEBUG" in stack.compose("logs", "api").stdout, "debug logs")
        for service, port in (("redis", "6379"), ("ollama", "11434")):
            expect(stack.compose("port", service, port).stdout.startswith("127.0.0.1:"), service)
        # What a build does: the file is another one.
        shutil.copy(build / "tradingagents", build / "new")
        with open(build / "new", "ab") as file:
            file.write(b"another build")
        os.replace(build / "new", build / "tradingagents")
        stack.compose("restart", "--no-deps", "--timeout", "1", "api")
        stack.up()
        running = stack.compose("exec", "-T", "api", "/build/tradingagents", "healthcheck", "api")
        expect(running.returncode == 0, running.stderr)
        pid = stack.inspect("api")["State"]["Pid"]
        name = subprocess.run([*THERE, "sh", "-c", f"ls -l /proc/{pid}/root/build"], capture_output=True, text=True).stdout
        expect(str((build / "tradingagents").stat().st_size) in name, name)


STORIES = [
    up_waits_until_all_is_well_and_says_where_the_api_is,
    up_names_the_service_that_is_not_well_and_shows_its_last_lines,
    up_loads_the_images_of_this_checkout_where_docker_has_others,
    the_debug_build_runs_in_the_images_and_is_replaced_by_a_restart,
]
