# fish completion of fastapi-health(8)

function __fastapi_health_releases
    fastapi-health releases list 2>/dev/null | awk '$1 ~ /^(kept|cached)$/ && $2 ~ /^[0-9]/ { print $2 }'
end

set --local commands serve check doctor nginx releases

complete --command fastapi-health --no-files
complete --command fastapi-health --condition "not __fish_seen_subcommand_from $commands" --long-option version --description 'show the release'
complete --command fastapi-health --condition 'not __fish_seen_subcommand_from serve' --long-option help --description 'show how it is used'

complete --command fastapi-health --condition "not __fish_seen_subcommand_from $commands" --arguments serve --description 'answer GET /health on the sockets that systemd passed'
complete --command fastapi-health --condition "not __fish_seen_subcommand_from $commands" --arguments check --description 'ask the socket for its health'
complete --command fastapi-health --condition "not __fish_seen_subcommand_from $commands" --arguments doctor --description 'look at everything that the service needs'
complete --command fastapi-health --condition "not __fish_seen_subcommand_from $commands" --arguments nginx --description 'switch the site in nginx on or off, or say how it is'
complete --command fastapi-health --condition "not __fish_seen_subcommand_from $commands" --arguments releases --description 'list what was installed, or go back to it'

complete --command fastapi-health --condition '__fish_seen_subcommand_from check' --force-files
complete --command fastapi-health --condition '__fish_seen_subcommand_from check' --long-option timeout --exclusive --description 'how long one answer may take'
complete --command fastapi-health --condition '__fish_seen_subcommand_from check' --long-option wait --exclusive --description 'ask again for this long until the answer is healthy'
complete --command fastapi-health --condition '__fish_seen_subcommand_from check doctor' --long-option json --description 'say it as JSON'

complete --command fastapi-health --condition '__fish_seen_subcommand_from doctor' --long-option script --description 'print the commands alone'
complete --command fastapi-health --condition '__fish_seen_subcommand_from doctor' --long-option nginx --description 'nginx is meant to serve'

complete --command fastapi-health --condition '__fish_seen_subcommand_from nginx; and not __fish_seen_subcommand_from enable disable status' --arguments 'enable disable status'
complete --command fastapi-health --condition '__fish_seen_subcommand_from enable' --long-option server-name --exclusive --arguments '(__fish_print_hostnames)' --description 'name that the site answers to'
complete --command fastapi-health --condition '__fish_seen_subcommand_from enable' --long-option listen --exclusive --description 'address to listen on'
complete --command fastapi-health --condition '__fish_seen_subcommand_from enable disable' --long-option dry-run --description 'show what would change'

complete --command fastapi-health --condition '__fish_seen_subcommand_from releases; and not __fish_seen_subcommand_from list rollback history' --arguments 'list rollback history'
complete --command fastapi-health --condition '__fish_seen_subcommand_from rollback' --arguments '(__fastapi_health_releases)'
complete --command fastapi-health --condition '__fish_seen_subcommand_from rollback' --long-option yes --short-option y --description 'do not ask'
complete --command fastapi-health --condition '__fish_seen_subcommand_from rollback' --long-option dry-run --short-option n --description 'say what would be done'
