# Starts the stack and waits until it is well. Arguments go to `docker compose up`, such as --scale worker=3.
needs_docker
load_images
[ -e .env ] || say "there is no .env, so everything has its default; 'cp .env.example .env' to change that"
choose_gpu

say "starting; the first time, Docker pulls redis and ollama"
if ! docker compose up --detach --wait --wait-timeout "${UP_TIMEOUT:-600}" "$@"; then
    echo >&2
    docker compose ps --all --format '{{.Service}} {{.State}} {{or .Health "-"}} {{.ExitCode}}' | while read -r service state health code; do
        case "$state $health $code" in
            "running healthy "*) continue ;;
            "exited - 0") continue ;;
        esac
        echo "up: $service is $state ($health, exit code $code); its last lines:" >&2
        docker compose logs --no-log-prefix --tail 15 "$service" >&2
    done
    fail "the stack is not well; docs/TROUBLESHOOTING.md has the usual reasons"
fi

address=$(docker compose port api 8000)
say "the API is at http://$address, its documentation at http://$address/docs"
