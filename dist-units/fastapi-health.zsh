#compdef fastapi-health
# zsh completion of fastapi-health(8)

_fastapi-health() {
    local curcontext=$curcontext state line
    typeset -A opt_args

    _arguments -C \
        '(- *)--help[show how it is used]' \
        '(- *)--version[show the release]' \
        '1:command:->command' \
        '*::argument:->argument'

    case $state in
    command)
        local -a commands=(
            'serve:answer GET /health on the sockets that systemd passed'
            'check:ask the socket for its health'
            'doctor:look at everything that the service needs'
            'nginx:switch the site in nginx on or off, or say how it is'
            'releases:list what was installed, or go back to it'
        )
        _describe command commands
        ;;
    argument)
        case $line[1] in
        check)
            _arguments \
                '--timeout[how long one answer may take]:seconds:' \
                '--wait[ask again for this long until the answer is healthy]:seconds:' \
                '--json[say it as JSON]' \
                '(- *)--help[show how it is used]' \
                '1:socket or URL:_files'
            ;;
        doctor)
            _arguments \
                '--script[print the commands alone]' \
                '--nginx[nginx is meant to serve]' \
                '--json[say it as JSON]' \
                '(- *)--help[show how it is used]'
            ;;
        nginx)
            _arguments \
                '*--server-name[name that the site answers to]:name:_hosts' \
                '*--listen[address to listen on]:address:' \
                '--dry-run[show what would change]' \
                '(- *)--help[show how it is used]' \
                '1:action:(enable disable status)'
            ;;
        releases)
            _arguments \
                '(-y --yes)'{-y,--yes}'[do not ask]' \
                '(-n --dry-run)'{-n,--dry-run}'[say what would be done]' \
                '(- *)'{-h,--help}'[show how it is used]' \
                '1:action:(list rollback history)' \
                "2:release:($(fastapi-health releases list 2>/dev/null | awk '$1 ~ /^(kept|cached)$/ && $2 ~ /^[0-9]/ { print $2 }'))"
            ;;
        esac
        ;;
    esac
}

_fastapi-health "$@"
