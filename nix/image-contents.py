"""Checks what is in the images: what has to be there, and that nothing else is.

    image-contents.py VERSION API_ARCHIVE WORKER_ARCHIVE
"""

import json
import sys
import tarfile

UID = "10001:10001"

FOLDERS = (".", "", "etc", "lib", "lib64", "nix", "results", "share", "tmp")

# Of all files, unpacked.
MOST_BYTES = 60_000_000


def read(archive):
    """The configuration of the image in an archive, its tags, and the members of all its layers by path."""
    with tarfile.open(archive) as image:
        manifest = json.load(image.extractfile("manifest.json"))[0]
        config = json.load(image.extractfile(manifest["Config"]))["config"]
        members = {}
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=image.extractfile(layer)) as files:
                members |= {member.name.removeprefix("./").strip("/"): member for member in files}
    return config, manifest["RepoTags"], members


def check(name, version, archive):
    config, tags, members = read(archive)
    environment = dict(variable.split("=", 1) for variable in config["Env"])
    command, argument = config["Entrypoint"]
    expect(tags == [f"tradingagents-{name}:{version}"], tags)
    expect(config["User"] == UID, config["User"])
    expect(argument == name and command.strip("/") in members, config["Entrypoint"])
    expect(config["Labels"]["org.opencontainers.image.version"] == version, config["Labels"])
    for label in ("revision", "source", "licenses", "title"):
        expect(f"org.opencontainers.image.{label}" in config["Labels"], label)
    for path in ("etc/passwd", "etc/group", "tmp", "results"):
        expect(path in members, f"{path} is missing")
    expect(members["tmp"].mode & 0o7777 == 0o1777, oct(members["tmp"].mode))
    expect(members["results"].uid == 10001, members["results"].uid)
    expect(environment["SSL_CERT_FILE"].strip("/") in members, "certificates are missing")
    expect(any(path.endswith("zoneinfo/UTC") for path in members), "zone data is missing")
    for path, member in members.items():
        expect(path.split("/")[0] in FOLDERS, f"{path} does not belong here")
        program = not member.isdir() and "/bin/" in f"/{path}"
        expect(not program or path == command.strip("/"), f"{path} does not belong here")
        expect("/share/man" not in path, f"{path} does not belong here")
    size = sum(member.size for member in members.values())
    expect(size <= MOST_BYTES, f"{size} bytes unpacked")
    print(f"{tags[0]}: {size / 1e6:.1f} MB unpacked")
    return config, environment, members


def expect(holds, what):
    if not holds:
        sys.exit(f"image contents: {what}")


def main():
    version, api, worker = sys.argv[1:]
    config, _, members = check("api", version, api)
    expect("8000/tcp" in config["ExposedPorts"], "the port is not exposed")
    expect(not any(path.startswith("lib") for path in members), "the API needs no loader")
    _, environment, members = check("worker", version, worker)
    loaders = [path for path in members if path in ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1")]
    expect(len(loaders) == 1, "the loader of the host's programs is missing")
    path = environment["LD_LIBRARY_PATH"].split(":")
    for folder in ("/usr/lib/{}-linux-gnu", "/usr/lib/{}-linux-gnu/nvidia/current", "/usr/lib64", "/run/opengl-driver/lib"):
        architecture = "x86_64" if loaders[0].startswith("lib64") else "aarch64"
        expect(folder.format(architecture) in path, f"LD_LIBRARY_PATH lacks {folder}")
    # NixOS mounts nvidia-smi with a loader of its own, which must not find another libc.
    expect(not any(f"{folder.strip('/')}/libc.so.6" in members for folder in path), "libc is in LD_LIBRARY_PATH")


main()
