"""Stories of the GPU, which CDI gives to worker and Ollama. A stub of the driver's library stands in for one: it is the same
to Docker, to the loader and to the program.
"""

import json
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from stack import CDI, Stack, docker, expect

# Not NVIDIA's own, which a host with a GPU has already.
KIND = "tradingagents.test/gpu"
LIBRARY = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"


def a_gpu_reaches_worker_and_ollama_by_cdi():
    with driver(), Stack(TRADINGAGENTS_GPU=f"{KIND}=all") as stack:
        stack.up()
        gpu = seen(stack)["gpus"][0]
        expect((gpu["name"], gpu["uuid"], gpu["driver_version"]) == ("Stub GPU", "GPU-stub", "580.00"), gpu)
        expect((gpu["memory_total"], gpu["utilization"], gpu["cuda_version"]) == (24 << 30, 42, "13.0"), gpu)
        expect(stack.ask("/health")[1]["components"]["workers"]["gpus"] == [gpu])
        smi = stack.compose("exec", "-T", "worker", "nvidia-smi").stdout
        expect("NVIDIA-SMI 580.00" in smi, smi)
        doctor = stack.compose("exec", "-T", "worker", "tradingagents", "doctor").stdout
        expect("Stub GPU" in doctor and "BROKEN" not in doctor, doctor)
        stack.compose("exec", "-T", "ollama", "python3", "-c", f"open('{LIBRARY}')")


def a_gpu_that_is_not_there_has_a_reason_and_is_no_error():
    for state, reason in (("driver", "the driver is not loaded"), ("device", "shows no device")):
        with driver(), Stack(TRADINGAGENTS_GPU=f"{KIND}=all", STUB_NVML=state) as stack:
            stack.up()
            worker = seen(stack)
            expect(worker["gpus"] == [] and reason in worker["no_gpu"], worker)
            doctor = stack.compose("exec", "-T", "worker", "tradingagents", "doctor").stdout
            expect(reason in doctor and "BROKEN" not in doctor, doctor)


def seen(stack):
    """The worker, once it has looked for a GPU."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        worker = stack.ask("/workers")[1]["workers"][0]
        if worker["gpus"] or worker["no_gpu"]:
            return worker
        time.sleep(0.1)
    raise AssertionError(f"it never looked: {worker}")


@contextmanager
def driver():
    """A driver's library and program on this host, with a CDI specification that mounts them as the toolkit's does."""
    folder = Path(tempfile.mkdtemp(prefix="tradingagents-driver-"))
    source = Path(__file__).parent / "nvml.c"
    library, program = folder / "libnvidia-ml.so.1", folder / "nvidia-smi"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    subprocess.run(["cc", "-DSMI", "-o", program, source], check=True)
    options = ["ro", "nosuid", "nodev", "bind"]
    mounts = [
        {"hostPath": str(library), "containerPath": LIBRARY, "options": options},
        {"hostPath": str(program), "containerPath": "/usr/bin/nvidia-smi", "options": options},
    ]
    specification = {
        "cdiVersion": "0.6.0",
        "kind": KIND,
        "devices": [{"name": "all", "containerEdits": {"mounts": mounts}}],
    }
    CDI.mkdir(parents=True, exist_ok=True)
    file = CDI / "tradingagents-test.json"
    file.write_text(json.dumps(specification))
    # The engine watches the folder.
    deadline = time.monotonic() + 10
    while f"{KIND}=all" not in docker("info").stdout and time.monotonic() < deadline:
        time.sleep(0.2)
    try:
        yield
    finally:
        file.unlink()
        shutil.rmtree(folder)


STORIES = [a_gpu_reaches_worker_and_ollama_by_cdi, a_gpu_that_is_not_there_has_a_reason_and_is_no_error]
