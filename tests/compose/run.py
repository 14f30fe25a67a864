#!/usr/bin/env python3
"""The stories of the compose stack, told on a real Docker.

    tests/compose/run.py [NAME...]

Uses the images tradingagents-api and tradingagents-worker of the crate's version if Docker has them (from
`nix build .#image && docker load < result`), and otherwise makes equivalent ones from target/release/tradingagents. Redis
is the distribution's, Ollama a stand-in. DOCKER names the command (default: docker); CDI=FOLDER is where the engine reads
CDI specifications (default: /etc/cdi); without it the stories of the GPU are not told, and the last lines say so.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.request import urlopen

import gpu
import helpers
import images
from stack import API, CDI, DOCKER, OLLAMA, REDIS, ROOT, SERVICES, THERE, WORKER, Stack, docker, expect, kinds

# The stories.


def the_file_holds_what_it_promises_with_and_without_env():
    with Stack() as stack:
        for env in (True, False):
            if not env:
                (stack.folder / ".env").unlink()
            config = json.loads(stack.compose("config", "--format", "json").stdout)
            services = config["services"]
            expect(set(services) == SERVICES | {"results"}, list(services))
            for name, service in services.items():
                expect(service["cap_drop"] == ["ALL"] and service["read_only"], name)
                expect(service["security_opt"] == ["no-new-privileges:true"] and service["init"], name)
                expect(service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name)
                expect(name == "results" or "healthcheck" in service, name)
                expect(name == "results" or int(service["deploy"]["resources"]["limits"]["memory"]) > 0, name)
            published = {name for name, service in services.items() if "ports" in service}
            expect(published == {"api"}, published)
            expect(services["api"]["ports"][0]["host_ip"] == "127.0.0.1")
            expect(services["worker"]["user"] == "10001:10001", services["worker"]["user"])
            expect(services["worker"]["devices"][0]["source"] == "/dev/null", services["worker"]["devices"])
        (stack.folder / ".env").write_text("TRADINGAGENTS_GPU=nvidia.com/gpu=all\n")
        services = json.loads(stack.compose("config", "--format", "json").stdout)["services"]
        for name in ("worker", "ollama"):
            expect(services[name]["devices"][0]["source"] == "nvidia.com/gpu=all", name)


def a_stranger_starts_it_submits_a_job_and_finds_the_result():
    with Stack() as stack:
        stack.up()
        for service in SERVICES:
            state = stack.inspect(service)["State"]
            expect(state["Health"]["Status"] == "healthy", service, state)
        code, health = stack.ask("/health")
        expect(code == 200, health)
        with urlopen(f"http://127.0.0.1:{stack.port}/docs") as page:
            expect(b"api-reference" in page.read())
        job = stack.submit()
        events = stack.events(job)
        expect(kinds(events)[0] == "submitted" and kinds(events)[-1] == "completed", kinds(events))
        code, result = stack.ask(f"/jobs/{job}/result")
        expect(code == 200 and result["decision"] == "BUY", result)
        folder = stack.folder / "results/AAPL/2012-09-19" / job
        expect((folder / "decision.txt").read_text() == "BUY\n")
        expect(folder.stat().st_uid == 10001, folder.stat().st_uid)
        for service in SERVICES:
            expect(stack.compose("logs", service).stdout.strip(), f"{service} logs nothing")

        stack.compose("down")
        stack.up()
        expect(stack.ask(f"/jobs/{job}")[1]["status"] == "completed", "down keeps the jobs")
        stack.compose("down", "--volumes")
        stack.up()
        expect(stack.ask(f"/jobs/{job}")[0] == 404, "down --volumes forgets the jobs")
        expect((folder / "state.json").exists(), "the results stay")


def it_needs_no_env_and_no_gpu():
    with Stack() as stack:
        (stack.folder / ".env").unlink()
        compose = stack.folder / "compose.yaml"
        compose.write_text(compose.read_text().replace("${API_PORT:-8000}", str(stack.port)))
        stack.up()
        expect(stack.ask("/health")[0] == 200)
        log = stack.compose("logs", "worker").stdout
        expect("no GPU: libnvidia-ml.so.1 is not found" in log, log)
        worker = gpu.seen(stack)
        expect(worker["gpus"] == [] and "libnvidia-ml.so.1 is not found" in worker["no_gpu"], worker)
        expect(stack.ask("/health")[1]["components"]["workers"]["gpus"] == [])


def an_image_that_is_not_loaded_is_told_with_its_mend():
    with Stack(API_IMAGE="tradingagents-api:not-loaded") as stack:
        done = stack.compose("up", "--detach", "--wait", check=False)
        expect(done.returncode != 0)
        expect("run: nix build .#image && docker load < result" in done.stderr, done.stderr)


def a_taken_port_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Stack(API_PORT=taken.getsockname()[1]) as stack:
            done = stack.compose("up", "--detach", "--wait", check=False)
            expect(done.returncode != 0)
            expect(re.search("already (allocated|in use)", done.stderr), done.stderr)


def a_worker_that_is_killed_in_mid_job_loses_nothing():
    with Stack() as stack:
        stack.up()
        job = stack.submit()
        stack.events(job, lambda event: event["type"] == "completed")
        stack.ollama("hold")
        job = stack.submit(selected_analysts=["market", "news"])
        stack.events(job, lambda event: event["type"] == "step_started")
        docker("kill", "--signal", "KILL", stack.inspect("worker")["Id"])
        stack.ollama("release")
        stack.up()
        events = stack.events(job)
        expect(kinds(events).count("completed") == 1 and kinds(events).count("claimed") == 2, kinds(events))


def jobs_go_on_while_the_api_is_started_anew():
    with Stack() as stack:
        stack.up()
        stack.ollama("hold")
        job = stack.submit()
        stack.events(job, lambda event: event["type"] == "step_started")
        stack.compose("restart", "api")
        stack.up()
        stack.ollama("release")
        expect(stack.ended(job)["status"] == "completed")
        expect(stack.ask(f"/jobs/{job}")[1]["attempt"] == 1, "the worker did not notice")


def a_redis_that_is_started_anew_has_the_queue():
    with Stack(WORKER_CONCURRENCY="1") as stack:
        stack.up()
        stack.ollama("hold")
        jobs = [stack.submit() for _ in range(5)]
        docker("kill", "--signal", "KILL", stack.inspect("redis")["Id"])
        stack.up()
        stack.ollama("release")
        for job in jobs:
            expect(stack.ended(job)["status"] == "completed", job)


def a_step_that_a_kill_of_redis_tore_in_two_never_happens():
    torn = r"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$3\r\nyes\r\n*1\r\n$4\r\nEX"
    with Stack() as stack:
        stack.up()
        docker("kill", "--signal", "KILL", stack.inspect("redis")["Id"])
        data = docker("volume", "inspect", "--format", "{{.Mountpoint}}", f"{stack.project}_redis_data").stdout.strip()
        subprocess.run([*THERE, "sh", "-c", f"printf '{torn}' | tee -a {data}/appendonlydir/*.incr.aof"], check=True, capture_output=True)
        stack.up()
        expect(stack.ended(stack.submit())["status"] == "completed")
        docker("kill", "--signal", "KILL", stack.inspect("redis")["Id"])
        stack.up()
        found = stack.compose("exec", "-T", "redis", "redis-cli", "exists", "torn").stdout
        expect(found == "0\n", f"exists: {found}")


@contextmanager
def full_disk(stack):
    """A disk for the results of the stack that has no room for one."""
    results = stack.folder / "results"
    results.mkdir()
    subprocess.run([*THERE, "mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", results], check=True)
    try:
        yield results
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")
        subprocess.run([*THERE, "umount", results], check=True)


def a_full_disk_fails_the_job_with_its_reason():
    with Stack(JOB_MAX_RETRIES="0") as stack, full_disk(stack):
        stack.up()
        job = stack.ended(stack.submit())
        expect(job["status"] == "failed" and job["error_type"] == "storage_error", job)
        expect("no room" in job["error"], job)


def a_disk_that_gets_room_again_lets_the_job_complete():
    with Stack(JOB_RETRY_BACKOFF="1") as stack, full_disk(stack) as disk:
        stack.up()
        job = stack.submit()
        stack.events(job, lambda event: event["type"] == "retry")
        subprocess.run([*THERE, "mount", "-o", "remount,size=16m", disk], check=True)
        expect(stack.ended(job)["status"] == "completed", stack.ask(f"/jobs/{job}"))
        expect(stack.ask(f"/jobs/{job}/result")[0] == 200)


def a_full_cache_fails_no_job():
    with Stack(VENDOR_GATEWAY="http://ollama:11434/vendors") as stack:
        # A disk with room for its own root folder and for nothing else.
        disk = {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "nr_inodes=1"}}
        (stack.folder / "compose.override.yaml").write_text(json.dumps({"volumes": {"cache_data": disk}}))
        stack.up()
        job = stack.submit()
        expect(stack.ended(job)["status"] == "completed")
        report = stack.ask(f"/jobs/{job}/result")[1]["reports"]["market"]
        expect("vendor yahoo" in report, report)
        log = stack.compose("logs", "worker").stdout
        expect("can't keep market data" in log and "No space left" in log, log)


def a_missing_key_is_named():
    with Stack(LLM_PROVIDER="openai") as stack:
        stack.up()
        job = stack.ended(stack.submit())
        expect(job["status"] == "failed" and job["retry_count"] == 0, job)
        expect("OPENAI_API_KEY" in job["error"], job)


def three_workers_share_the_jobs():
    with Stack(WORKER_CONCURRENCY="1") as stack:
        stack.up("--scale", "worker=3")
        expect(stack.ask("/health")[1]["components"]["workers"]["count"] == 3)
        stack.ollama("hold")
        jobs = [stack.submit() for _ in range(3)]
        for job in jobs:
            stack.events(job, lambda event: event["type"] == "step_started")
        stack.ollama("release")
        workers = {stack.ended(job)["worker"] for job in jobs}
        expect(len(workers) == 3, workers)


def a_doctor_in_the_container_finds_all_well():
    with Stack() as stack:
        stack.up()
        done = stack.compose("exec", "-T", "worker", "tradingagents", "doctor")
        expect("BROKEN" not in done.stdout and "no GPU: libnvidia-ml.so.1 is not found" in done.stdout, done.stdout)


STORIES = [
    the_file_holds_what_it_promises_with_and_without_env,
    a_stranger_starts_it_submits_a_job_and_finds_the_result,
    it_needs_no_env_and_no_gpu,
    an_image_that_is_not_loaded_is_told_with_its_mend,
    a_taken_port_is_told,
    a_worker_that_is_killed_in_mid_job_loses_nothing,
    jobs_go_on_while_the_api_is_started_anew,
    a_redis_that_is_started_anew_has_the_queue,
    a_step_that_a_kill_of_redis_tore_in_two_never_happens,
    a_full_disk_fails_the_job_with_its_reason,
    a_disk_that_gets_room_again_lets_the_job_complete,
    a_full_cache_fails_no_job,
    a_missing_key_is_named,
    three_workers_share_the_jobs,
    a_doctor_in_the_container_finds_all_well,
    *gpu.STORIES,
    *helpers.STORIES,
]


def make_images():
    """Those that are not there."""
    for tag, make, program in ((REDIS, images.redis, "redis-check-aof"), (OLLAMA, images.ollama, "ollama")):
        # One of an earlier run may lack what the stack calls now.
        tried = docker("run", "--rm", "--pull", "never", "--entrypoint", program, tag, "--version", check=False)
        if tried.returncode in (125, 127):
            make(DOCKER, tag)
    binary = ROOT / "target/release/tradingagents"
    for tag, name in ((API, "api"), (WORKER, "worker")):
        # Only Nix' images have the label. One of an earlier run here is of an earlier binary.
        label = '{{index .Config.Labels "org.opencontainers.image.revision"}}'
        if docker("image", "inspect", "--format", label, tag, check=False).stdout.strip():
            continue
        if not binary.exists():
            sys.exit(f"{tag} is not there; run: nix build .#image && docker load < result, or: cargo build --release")
        images.program(DOCKER, tag, name, str(binary))
        print(f"{tag}: made from cargo's binary, as Nix has not built it here")


def main():
    if docker("info", check=False).returncode:
        sys.exit(f"{shlex.join(DOCKER)} does not answer; start Docker, or name the command in DOCKER")
    make_images()
    chosen = [story for story in STORIES if not sys.argv[1:] or story.__name__ in sys.argv[1:]]
    told, failed, untold = 0, 0, []
    for story in chosen:
        if story in gpu.STORIES and not os.access(CDI.parent, os.W_OK):
            untold.append(f"{story.__name__}: {CDI} can't be written to")
            continue
        began = time.monotonic()
        try:
            story()
            told += 1
            print(f"ok      {story.__name__} ({time.monotonic() - began:.0f} s)", flush=True)
        except Exception as error:  # The next story may hold.
            failed += 1
            print(f"FAILED  {story.__name__}: {type(error).__name__}: {error}", flush=True)
    print(f"{told} passed, {failed} failed, {len(untold)} skipped" if untold else f"{told} passed, {failed} failed")
    for reason in untold:
        print(f"not run: {reason}")
    sys.exit(bool(failed))


main()
