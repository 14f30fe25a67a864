# Stops the stack. Jobs and models stay, unless --volumes asks for their end.
needs_docker
case ${1:-} in
    "") docker compose down ;;
    --volumes)
        say "this deletes all jobs, the queue and the pulled models; the results stay in their folder"
        printf 'Type yes to go on: ' >&2
        read -r answer || answer=
        [ "$answer" = yes ] || fail "nothing was deleted"
        docker compose down --volumes
        ;;
    *) fail "only --volumes is known, not $1" ;;
esac
