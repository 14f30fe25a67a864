# Runs the stack on the debug build, and restarts API and worker when a source file has changed.
needs_docker
load_images
choose_gpu
stack="docker compose -f compose.yaml -f compose.dev.yaml"
cargo build
$stack up --detach --wait
say "the API is at http://$(docker compose port api 8000); save a source file and it is built and started anew"
exec watchexec --watch src --watch Cargo.toml --postpone --on-busy-update=queue --shell=sh -- \
    "cargo build && $stack restart --no-deps --timeout 1 api worker"
