# shellcheck shell=sh disable=SC2034,SC2154 # sourced by releases.sh; they share their variables
# trial: starts the installed release beside the running service, on a socket that only root reaches, under the very unit
# of the service with its drop-ins and settings. A release that fails it never meets a client of a running service, and
# no request of ours stays behind in the queue of the service's socket, where it would start that release over and over.

trial_unit=fastapi-health-trial
trial_socket=/run/fastAPI-trial.sock
units=/run/systemd/system

# trial EVENT: 0 where the service may be restarted: the release passed, or there was nothing to try it for.
trial() {
    systemctl --quiet is-active "$socket" || return 0
    new=$(installed_release)
    name_event "$1" "$new"
    began=$(date +%s)
    trap 'end_trial' EXIT
    # A trial that cannot be held says nothing of the release: the gate after the restart does.
    start_trial || return 0
    if wait_healthy "$trial_socket" "$new" "$trial_unit.service"; then
        return 0
    fi
    # Killed, as a process that hangs does not stop.
    systemctl kill --signal=SIGKILL "$trial_unit.service" 2>/dev/null
    report "$trial_unit.service" "$new"
    return 1
}

# What an interrupted pacman left without a verdict.
boot() {
    (trial boot) && gate boot
}

start_trial() {
    mkdir -p "$units" || return
    # What a trial that was killed left.
    [ ! -e "$units/$trial_unit.socket" ] || end_trial
    {
        echo '[Unit]'
        echo 'Description=fastAPI health service, trial of the installed release'
        echo 'StartLimitIntervalSec=60'
        echo 'StartLimitBurst=3'
        echo '[Service]'
        systemctl cat "$service" | awk '/^\[/ { on = $0 == "[Service]"; next } on && !/^[#;]/'
        echo 'Restart=no'
        echo 'TimeoutStopSec=2s'
    } >"$units/$trial_unit.service" || return
    cat >"$units/$trial_unit.socket" <<END || return
[Socket]
ListenStream=$trial_socket
FileDescriptorName=$(systemctl show --property FileDescriptorName --value "$socket")
SocketMode=0600
RemoveOnStop=yes
END
    systemctl daemon-reload && systemctl start "$trial_unit.socket" 2>/dev/null
}

end_trial() {
    systemctl --quiet --no-warn stop "$trial_unit.socket" "$trial_unit.service" 2>/dev/null
    rm -f "$units/$trial_unit.socket" "$units/$trial_unit.service"
    systemctl --quiet reset-failed "$trial_unit.socket" "$trial_unit.service" 2>/dev/null
    systemctl daemon-reload
}
