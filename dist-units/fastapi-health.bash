# bash completion of fastapi-health(8)

_fastapi_health() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-} action='' word
    local words=() actions=()
    COMPREPLY=()

    case $previous in
    --timeout | --wait | --listen) return ;;
    --server-name)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$current")
        return
        ;;
    esac
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'serve check doctor nginx releases --help --version' -- "$current")
        return
    fi
    for word in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        [[ $word == -* ]] || action=${action:-$word}
    done
    case $command:$action in
    check:*)
        words=(--timeout --wait --json --help)
        [[ $current == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    doctor:*) words=(--script --nginx --json --help) ;;
    nginx:enable) words=(--server-name --listen --dry-run --help) ;;
    nginx:disable) words=(--dry-run --help) ;;
    nginx:status) words=(--help) ;;
    nginx:) actions=(enable disable status) words=(--help) ;;
    releases:rollback)
        words=(--yes --dry-run --help)
        mapfile -t actions < <(fastapi-health releases list 2>/dev/null | awk '$1 ~ /^(kept|cached)$/ && $2 ~ /^[0-9]/ { print $2 }')
        ;;
    releases:) actions=(list rollback history) words=(--help) ;;
    esac
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "${words[*]} ${actions[*]}" -- "$current")
}

complete -o filenames -F _fastapi_health fastapi-health
