"""Images for the stories, made without a registry: Redis from the distribution's package, a stand-in for Ollama, and,
where Nix did not build them, API and worker from cargo's binary, as nix/images.nix makes them.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
UID = "10001:10001"


class Folder:
    """The files of an image."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp())
        (self.path / "tmp").mkdir()
        (self.path / "tmp").chmod(0o1777)
        (self.path / "etc").mkdir()

    def program(self, source, target=None):
        """A program with the libraries that it is linked with, and its loader."""
        source = shutil.which(source) or source
        self.copy(source, target or f"/usr/bin/{Path(source).name}")
        linked = subprocess.run(["ldd", source], check=True, capture_output=True, text=True).stdout
        for library in re.findall(r"(/[^ ]+) \(0x", linked):
            self.copy(library, library)

    def copy(self, source, target):
        target = self.path / str(target).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "test*"))
        else:
            shutil.copy(source, target)

    def write(self, path, text):
        target = self.path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def folder(self, path, owner):
        target = self.path / path.lstrip("/")
        target.mkdir(parents=True)
        os.chown(target, owner, owner)

    def load(self, docker, tag, changes):
        changes = [argument for change in changes for argument in ("--change", change)]
        with subprocess.Popen(["tar", "-C", self.path, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run([*docker, "import", *changes, "-", tag], stdin=tar.stdout, check=True, capture_output=True)
        shutil.rmtree(self.path)


def redis(docker, tag):
    files = Folder()
    for program in ("redis-server", "redis-cli", "redis-check-aof", "sh", "chown"):
        files.program(program)
    files.write("/etc/passwd", "root:x:0:0::/:/\nredis:x:999:999::/:/\n")
    files.write("/etc/group", "root:x:0:\nredis:x:999:\n")
    files.folder("/data", 999)
    files.load(docker, tag, ["WORKDIR /data", "ENV PATH=/usr/bin"])


def ollama(docker, tag):
    files = Folder()
    files.program("/usr/bin/python3")
    version = os.path.realpath("/usr/bin/python3").rsplit("python", 1)[1]
    files.copy(f"/usr/lib/python{version}", f"/usr/lib/python{version}")
    files.copy(HERE / "ollama.py", "/usr/bin/ollama")
    (files.path / "usr/bin/ollama").chmod(0o755)
    files.folder("/root/.ollama", 0)
    files.load(docker, tag, ['ENTRYPOINT ["ollama"]', 'CMD ["serve"]', "ENV PATH=/usr/bin"])


def program(docker, tag, name, binary):
    files = Folder()
    files.program(binary, "/bin/tradingagents")
    files.copy("/lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2")
    files.copy("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-bundle.crt")
    files.write("/etc/passwd", "root:x:0:0::/:/\ntradingagents:x:10001:10001::/:/\n")
    files.write("/etc/group", "root:x:0:\ntradingagents:x:10001:\n")
    files.write("/etc/nsswitch.conf", "hosts: files dns\n")
    files.copy("/usr/share/zoneinfo", "/share/zoneinfo")
    files.folder("/results", 10001)
    environment = {
        "PATH": "/bin:/usr/bin",
        "SSL_CERT_FILE": "/etc/ssl/certs/ca-bundle.crt",
        "TZDIR": "/share/zoneinfo",
        "RESULTS_DIR": "/results",
    }
    if name == "api":
        environment["API_LISTEN"] = "0.0.0.0:8000"
    else:
        environment["LD_LIBRARY_PATH"] = "/usr/lib/x86_64-linux-gnu:/usr/lib64:/usr/lib"
    changes = [f"ENV {name}={value}" for name, value in environment.items()]
    changes += ["EXPOSE 8000"] if name == "api" else []
    files.load(docker, tag, [f"USER {UID}", f'ENTRYPOINT ["/bin/tradingagents", "{name}"]', *changes])
