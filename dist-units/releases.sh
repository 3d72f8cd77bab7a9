#!/bin/sh
# fastapi-health releases: which release is installed, whether it serves, and the way back to the one before.
# Only sh, pacman and what pacman itself depends on (bsdtar, curl, awk, coreutils): a release whose bundle is broken,
# or a host whose node is, must still find its way back.
# shellcheck source-path=SCRIPTDIR
set -u
LC_ALL=C
export LC_ALL

package=fastapi-health
library=/usr/lib/fastapi-health
socket=fastAPI-unix.socket
service=fastAPI-unix.service
env_file=/etc/fastAPI/fastAPI.env
state=/var/lib/fastAPI/releases
# Arch's defaults; pacman.conf(5) may name others.
database=$(pacman-conf DBPath 2>/dev/null) || database=/var/lib/pacman/
lock=${database%/}/db.lck
local_database=${database%/}/local
# Of our own, for `journalctl MESSAGE_ID=...`; API.
message_id=250dad8eb80c4ecc817638cc3c0099c7

usage="Usage: fastapi-health releases list
       fastapi-health releases rollback [VERSION] [--yes] [--dry-run]
       fastapi-health releases history

  list      releases: installed, running, kept for rollback, in pacman's cache
  rollback  install a kept release again; by default the newest one that is older than the installed one
  history   what was installed when, and whether it answered

  --yes, -y      do not ask
  --dry-run, -n  say what would be done, do nothing

Exit status: 0 done, 1 failed or refused, 64 wrong arguments, 77 needs root.
"

say() {
    printf 'fastapi-health: %s\n' "$*"
}

# fail STATUS MESSAGE...
fail() {
    status=$1
    shift
    printf 'fastapi-health: releases: %s\n' "$*" >&2
    exit "$status"
}

need_root() {
    [ "$(id -u)" -eq 0 ] || fail 77 "$1 needs root; run it with sudo"
}

# pkgver-pkgrel as pacman has it, or nothing. Works while the database is locked.
installed_release() {
    pacman -Q "$package" 2>/dev/null | cut -d ' ' -f 2
}

# Milliseconds since the boot: no step of the clock moves them.
now_ms() {
    IFS=' .' read -r seconds hundredths rest </proc/uptime
    echo "$seconds${hundredths}0"
}

# setting NAME DEFAULT: as systemd reads it from the env file, where the last assignment counts.
setting() {
    value=$(sed -n "s/^[[:space:]]*$1=[[:space:]]*//p" "$env_file" 2>/dev/null | tail -n 1 |
        sed "s/[[:space:]]*\$//; s/^\"\\(.*\\)\"\$/\\1/; s/^'\\(.*\\)'\$/\\1/")
    echo "${value:-$2}"
}

# In a chroot or an image build no systemd runs that could start anything.
booted() {
    [ -d /run/systemd/system ] && [ -z "${SYSTEMD_OFFLINE:-}" ] && ! systemd-detect-virt --quiet --chroot
}

# What identifies a build, where a version may be built twice: the digest of its own list of digests.
installed_build() {
    sha256sum 2>/dev/null <"$local_database/$package-$1/mtree" | cut -d ' ' -f 1
}

package_build() {
    bsdtar -xOqf "$1" .MTREE 2>/dev/null | sha256sum | cut -d ' ' -f 1
}

# Everything is read before anything is run: a rollback replaces these very files.
# shellcheck source=releases-keep.sh
. "$library/releases-keep.sh"
# shellcheck source=releases-gate.sh
. "$library/releases-gate.sh"
# shellcheck source=releases-trial.sh
. "$library/releases-trial.sh"
# shellcheck source=releases-rollback.sh
. "$library/releases-rollback.sh"
# shellcheck source=releases-list.sh
. "$library/releases-list.sh"
# shellcheck source=releases-history.sh
. "$library/releases-history.sh"

main() {
    command=${1:-}
    [ $# -eq 0 ] || shift
    case $command in
    list | history)
        [ "${1:-}" != --help ] || command=--help
        [ $# -eq 0 ] || [ "$command" = --help ] || fail 64 "$command takes no arguments, got '$*'"
        ;;
    esac
    case $command in
    list) list ;;
    history) history ;;
    rollback) rollback "$@" ;;
    # For the hooks and units of this package.
    keep) keep ;;
    trial) trial "$@" ;;
    gate) gate "$@" ;;
    boot) boot ;;
    undo) undo "$@" ;;
    --help | -h) printf '%s' "$usage" ;;
    *) fail 64 "expected list, rollback or history, got '$command'
$usage" ;;
    esac
}

# One line, so that sh has read the whole of it before this file is replaced.
main "$@"; exit
