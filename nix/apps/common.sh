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

# Loads the images of this checkout, unless Docker has them: their entrypoint names the program that they were built of.
load_images() {
    for image in $(docker compose config --images | sort -u); do
        case $image in tradingagents-*) ;; *) continue ;; esac
        loaded=$(docker image inspect --format '{{index .Config.Entrypoint 0}}' "$image" 2>/dev/null) || loaded=
        [ "$loaded" != "$PROGRAM" ] || continue
        if [ -n "$loaded" ]; then why="of another build"; else why="not there"; fi
        say "loading the images of API and worker, for $image is $why"
        docker load < "$IMAGES"
        return
    done
}

# Gives worker and Ollama the GPU that a CDI specification names in a folder that Docker reads.
choose_gpu() {
    if [ -n "${TRADINGAGENTS_GPU:-}" ] || grep -qs '^TRADINGAGENTS_GPU=.' .env; then return; fi
    folders=$(docker info --format '{{range .CDISpecDirs}}{{.}} {{end}}' 2>/dev/null) || folders=
    for folder in ${folders:-/etc/cdi /var/run/cdi}; do
        grep -qs 'nvidia.com/gpu' "$folder"/* || continue
        [ -n "$folders" ] || {
            say "GPU: none, for $folder names one but this Docker's CDI is off; docs/DEPLOYMENT.md says how to switch it on"
            return
        }
        version=$(docker compose version --short)
        [ "$(printf '%s\n' 2.30 "${version#v}" | sort -V | head -n 1)" = 2.30 ] || {
            say "GPU: none, for docker compose $version knows no CDI devices; 2.30 and newer do"
            return
        }
        export TRADINGAGENTS_GPU=nvidia.com/gpu=all
        say "GPU: all that $folder names; to keep that for every 'docker compose up': echo TRADINGAGENTS_GPU=nvidia.com/gpu=all >> .env"
        return
    done
    say "GPU: none, for there is no CDI specification; docs/DEPLOYMENT.md says how to make one"
}
