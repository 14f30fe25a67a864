# Follows the logs of all services, or of those that are named.
needs_docker
exec docker compose logs --follow --tail 100 "$@"
