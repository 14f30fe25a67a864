# Starts the stack and waits until it is well.
needs_docker

missing=
for image in $(docker compose config --images | sort -u); do
    case $image in
        tradingagents-*) docker image inspect "$image" >/dev/null 2>&1 || missing="$missing $image" ;;
    esac
done
if [ -n "$missing" ]; then
    say "loading$missing"
    docker load < "$IMAGES"
fi

[ -e .env ] || say "there is no .env, so everything has its default; 'cp .env.example .env' to change that"
if [ -z "${TRADINGAGENTS_GPU:-}" ] && ! grep -qs '^TRADINGAGENTS_GPU=' .env; then
    if grep -qs 'nvidia.com/gpu' /etc/cdi/* /var/run/cdi/*; then
        export TRADINGAGENTS_GPU=nvidia.com/gpu=all
        say "GPU: all that the CDI specification on this host names"
    else
        say "GPU: none, for there is no CDI specification; docs/DEPLOYMENT.md says how to make one"
    fi
fi

say "starting; the first time, Docker pulls redis and ollama"
if ! docker compose up --detach --wait --wait-timeout "${UP_TIMEOUT:-600}"; then
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
