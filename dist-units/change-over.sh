#!/bin/sh
# Puts the packaged units in force where others are instead of them, such as those of an earlier deployment in
# /etc/systemd/system. Told by `fastapi-health doctor`, run by hand.
#
# systemd keeps the listening socket over all of it, so nobody is refused. But a process that is told to end while
# clients come can reset one that it has just accepted, as uvicorn does. So for a few seconds the socket's path leads to
# a second socket with the new release, until the old process has answered whom it has, and has ended.
set -eu

socket=fastAPI-unix.socket
service=fastAPI-unix.service
bridge=fastapi-health-bridge
# How long the old process may take to answer whom it has accepted, in seconds: gunicorn keeps connections for 2.
quiet=3

say() {
    printf '%s\n' "$*"
}

fail() {
    say "$*" >&2
    exit 1
}

# The file of a unit, if it is not the packaged one.
other_file() {
    systemctl show --property FragmentPath --value "$1" | grep -v '^/usr/lib/systemd/system/' || :
}

replace_units() {
    for unit in "$socket" "$service"; do
        file=$(other_file "$unit")
        if [ -n "$file" ]; then
            rm -f -- "$file"
            say "Removed $file."
        fi
    done
    systemctl daemon-reload
    systemctl --quiet reenable "$socket"
    # The socket that runs on does not start what the packaged one wants.
    systemctl start "$socket" fastAPI-unix-watch.path
}

# Whatever happens, the path leads to the socket that systemd keeps, and no second one is left.
end_bridge() {
    if [ -S "$held" ]; then
        mv -f "$held" "$path"
    fi
    # Whoever has connected to the second socket is answered by its service, which drains.
    sleep 1
    systemctl --quiet --no-warn stop "$bridge.service"
    systemctl --quiet --no-warn stop "$bridge.socket"
    # A transient unit that has failed would be in the way of the next.
    systemctl --quiet reset-failed "$bridge.service" "$bridge.socket" 2>/dev/null || :
    rm -f "$spare"
}

begin_bridge() {
    systemd-run --quiet --unit="$bridge" --description='fastAPI health service, while units are replaced' \
        --socket-property=ListenStream="$spare" --socket-property=FileDescriptorName=fastAPI --socket-property=Backlog=4096 \
        --socket-property=SocketUser="$(stat -c %U "$path")" --socket-property=SocketGroup="$(stat -c %G "$path")" \
        --socket-property=SocketMode="$(stat -c %a "$path")" \
        --property=User=fastapi --property=NoNewPrivileges=yes --property=EnvironmentFile=-/etc/fastAPI/fastAPI.env \
        /usr/bin/node /usr/lib/fastapi-health/index.js serve
    if ! fastapi-health check --wait 10 "$spare"; then
        journalctl -u "$bridge.service" -n 10 -o cat --no-pager >&2
        fail "The new release does not serve, see above. Nothing was changed: the old one goes on."
    fi
    ln "$path" "$held"
    mv -f "$spare" "$path"
}

[ "$(id -u)" -eq 0 ] || fail 'change-over needs root'
[ -n "$(other_file "$socket")$(other_file "$service")" ] || fail 'The packaged units are in force already; nothing to change.'

path=$(systemctl show --property Listen --value "$socket" | sed -n '1s/ (Stream)$//p')
folder=${path%/*}
held=$folder/.held.sock
spare=$folder/.spare.sock
# gunicorn removes the file of its socket when it ends; in a directory that is root's it cannot.
systemd-tmpfiles --create fastapi-health.conf || :
if [ -S "$path" ] && systemctl --quiet is-active "$service"; then
    trap end_bridge EXIT
    begin_bridge
    say "New connections go to the new release; the old one has $quiet s to answer the others."
    sleep "$quiet"
    replace_units
    # Not restart: with the path elsewhere there is nobody to start it for.
    systemctl --no-warn stop "$service"
    end_bridge
    trap - EXIT
else
    replace_units
fi
fastapi-health check --wait 10
