# shellcheck shell=sh disable=SC2034,SC2154 # sourced by releases.sh; they share their variables
# list: which releases there are on this host, and where.

list() {
    now=$(installed_release)
    if [ -n "$now" ]; then
        row installed "$now" "$(date -d "@$(description "$now" INSTALLDATE)" '+%F %T')" "$(verdict_text "$now")"
    else
        row installed none - ''
    fi
    running
    if [ -r "$state" ] || [ "$(id -u)" -eq 0 ]; then
        kept_packages | list_files kept
    else
        row kept '?' - 'only root sees what is kept'
    fi
    cached_packages | list_files cached
}

row() {
    printf '%-9s  %-12s  %-19s  %s\n' "$@" | sed 's/ *$//'
}

# list_files KIND: one row for each path on standard input.
list_files() {
    while read -r file; do
        release=${file##*/"$package"-}
        row "$1" "${release%-*}" "$(date -r "$file" '+%F %T')" "$file"
    done
}

verdict_text() {
    case $(verdict_of "$1" 2>/dev/null) in
    healthy) echo 'answered when it was installed' ;;
    bad) echo 'DID NOT ANSWER when it was installed' ;;
    esac
}

# Asks only a service that runs: a look at the list starts nothing.
running() {
    if ! systemctl --quiet is-active "$service" 2>/dev/null; then
        row running none - "$(systemctl is-active "$service" 2>/dev/null)"
        return
    fi
    fetch "$(address)" application/health+json 2
    case $body in
    *'"releaseId":"'*)
        body=${body#*\"releaseId\":\"}
        since=$(systemctl show --timestamp=unix --property ActiveEnterTimestamp --value "$service")
        row running "${body%%\"*}" "$(date -d "$since" '+%F %T')" ''
        ;;
    *) row running '?' - "$found" ;;
    esac
}

cached_packages() {
    for cache in $(pacman-conf CacheDir 2>/dev/null); do
        # shellcheck disable=SC2012 # pacman's names have no spaces
        ls -t "${cache%/}/$package"-*.pkg.tar.* 2>/dev/null | sed '/\.sig$/d; /\.part$/d'
    done
}
