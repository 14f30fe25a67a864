# What the helpers share.
set -eu
say() { echo "$command: $*"; }
fail() { echo "$command: $*" >&2; exit 1; }

needs_docker() {
    [ -f compose.yaml ] || fail "there is no compose.yaml here; run this in the project's folder"
    command -v docker >/dev/null || fail "docker is not installed; https://docs.docker.com/engine/install has it"
    docker compose version >/dev/null 2>&1 || fail "docker has no 'compose'; install the package docker-compose-plugin"
    docker info >/dev/null 2>&1 || fail "docker does not answer; start it, and be in the group docker"
}
