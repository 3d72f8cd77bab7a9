# shellcheck shell=sh disable=SC2034,SC2154 # sourced by releases.sh; they share their variables
# gate: whether the installed release answers on the service's socket, and what follows from that.

# How long a release may take until it answers, in seconds; clients that wait 30 must live to see the rollback. A host
# that is slower than that says so: FASTAPI_HEALTH_PATIENCE=60 pacman -U ...
patience=${FASTAPI_HEALTH_PATIENCE:-15}
case $patience in '' | *[!0-9]*) patience=15 ;; esac

# gate EVENT [WAS_ACTIVE]: install, upgrade or boot. Where the service was not running (not 0) it is stopped again.
gate() {
    new=$(installed_release)
    name_event "${1:-upgrade}" "$new"
    if ! systemctl --quiet is-active "$socket"; then
        conclude skipped 0 "$socket is not active, so $new was not asked"
        return
    fi
    was_active=${2:-}
    if [ -z "$was_active" ]; then
        systemctl --quiet is-active "$service"
        was_active=$?
    fi
    began=$(date +%s)
    if wait_healthy "$(address)" "$new" "$service"; then
        say "$new serves: $found"
        conclude healthy "$waited" "$new serves"
        [ "$was_active" -eq 0 ] || systemctl --no-warn stop "$service"
    else
        report "$service" "$new"
        # A process that hangs is not waited for.
        [ "$was_active" -eq 0 ] || systemctl --no-warn --no-block stop "$service"
    fi
}

# What the socket unit listens on, with the drop-ins of this host: a path, or host:port.
address() {
    systemctl show --property Listen --value "$socket" | sed -n '1s/ (.*//p'
}

# name_event EVENT NEW: sets event, what kind of upgrade it was, and old. Without a pending file only nodejs changed.
name_event() {
    event=$1
    old=$(cat "$state/pending" 2>/dev/null)
    [ "$event" = upgrade ] || return 0
    if [ -z "$old" ]; then
        event=node
    elif [ -n "${FASTAPI_HEALTH_ROLLBACK:-}" ] || is_way_back "$2"; then
        event=rollback
    else
        case $(vercmp "$2" "$old") in
        0) event=reinstall ;;
        -*) event=downgrade ;;
        esac
    fi
}

# is_way_back NEW: whether it replaces a release that did not serve with the one that this had replaced.
is_way_back() {
    read -r verdict release build 2>/dev/null <"$state/verdict" || return
    [ "$verdict $release" = "bad $old" ] && [ "$(cat "$state/replaced" 2>/dev/null)" = "$1" ]
}

# wait_healthy ADDRESS RELEASE UNIT: 0 once the release answers. Sets waited, in milliseconds, and found: what came.
wait_healthy() {
    asked=$(now_ms)
    deadline=$((asked + patience * 1000))
    restarts=$(systemctl show --property NRestarts --value "$3")
    refused=0
    while :; do
        left=$((deadline - $(now_ms)))
        [ "$left" -gt 0 ] || break
        if ask "$1" "$2" $((left / 1000 + 1)); then
            waited=$(($(now_ms) - asked))
            found="$1 answered 200 after $waited ms"
            return 0
        fi
        # A release that answers, and not with health, has been heard often enough; so has one that does not start.
        [ "$wrong" = no ] || refused=$((refused + 1))
        [ "$refused" -lt 3 ] || break
        if systemctl --quiet is-failed "$3"; then
            found="no answer, the process ends with status $(systemctl show --property ExecMainStatus --value "$3")"
            break
        fi
        if [ $(($(systemctl show --property NRestarts --value "$3") - restarts)) -ge 3 ]; then
            break
        fi
        sleep 0.2
    done
    waited=$(($(now_ms) - asked))
    return 1
}

# ask ADDRESS RELEASE SECONDS: 0 where the release answers 200 to both kinds of request; sets found, and wrong: whether
# it answered as it should not.
ask() {
    wrong=no
    fetch "$1" application/health+json "$3"
    case $code:$body in
    200:*"\"releaseId\":\"$2\""*) ;;
    200:*'"releaseId":"'*)
        other=${body#*\"releaseId\":\"}
        found="status 200 from $(one_line "${other%%\"*}")"
        return 1
        ;;
    200:*)
        found="$found, which names no release"
        wrong=yes
        return 1
        ;;
    *) return 1 ;;
    esac
    fetch "$1" application/json "$3"
    [ "$code:$body" = '200:{"status":"ok"}' ]
}

# fetch ADDRESS MEDIA_TYPE SECONDS: sets code, body, found and wrong.
fetch() {
    case $1 in
    /*) set -- "$2" "$3" --unix-socket "$1" http://localhost/health ;;
    *) set -- "$2" "$3" "http://$1/health" ;;
    esac
    media_type=$1 seconds=$2
    shift 2
    answer=$(curl --silent --noproxy '*' --max-time "$seconds" --header "Accept: $media_type" \
        --write-out '\n%{http_code} %{errormsg}' "$@" | tr -d '\000')
    body=${answer%"
"*}
    last=${answer##*"
"}
    code=${last%% *}
    if [ "$code" = 000 ]; then
        found="no answer (${last#* })"
    else
        found="status $code, $(one_line "$body")"
    fi
    wrong=yes
    case $code in 000 | 200) wrong=no ;; esac
}

# one_line TEXT: what a process said, with nothing in it that a terminal or the journal would take for more than text.
one_line() {
    printf '%s' "$1" | tr '\000-\037\177' ' ' | cut -c 1-120
}

# report UNIT NEW: says what was expected and what came, and how to go back; hands over where that is to be done unasked.
report() {
    say "$2 DOES NOT SERVE"
    printf '  expected  status 200 from release %s within %s s\n' "$2" "$patience"
    printf '  came      %s, after %s ms\n' "$found" "$waited"
    printf '  unit      %s: %s\n' "$1" \
        "$(systemctl show --property ActiveState,SubState,Result,ExecMainStatus,NRestarts "$1" | tr '\n' ' ')"
    journalctl --sync 2>/dev/null
    printf '  journal   the last lines of: journalctl -u %s\n' "$1"
    # What the process said, without where in its code; and only where it said nothing what systemd says of it.
    lines=$(journal_lines "_SYSTEMD_UNIT=$1")
    printf '%s\n' "${lines:-$(journal_lines --unit="$1")}" | tail -n 8 | tr -d '\033' | cut -c 1-160 | sed 's/^/    /'
    if [ "$1" != "$service" ] && systemctl --quiet is-active "$service"; then
        printf '  meanwhile the process that was running goes on serving until nobody asks it\n'
    fi
    conclude bad "$waited" "$2 does not serve: $found"
    way_back "$2"
}

# journal_lines MATCH
journal_lines() {
    journalctl --quiet --no-pager --output=cat --lines=50 --since="@$began" "$1" 2>/dev/null | grep -v '^ *at \|^$'
}

# way_back NEW
way_back() {
    if [ -n "${FASTAPI_HEALTH_ROLLBACK:-}" ]; then
        say "this was a rollback already: nothing more is tried"
        return
    fi
    if [ "$event" = node ]; then
        say "only nodejs changed, so another release of $package would not help; to go back: pacman -U with the former nodejs"
        return
    fi
    target=$(cat "$state/replaced" 2>/dev/null)
    if [ -z "$target" ]; then
        say "no release was kept before it; install one that serves: pacman -U FILE"
    elif ! file=$(find_package "$target"); then
        say "no package of $target is kept or in pacman's cache; install a release that serves: pacman -U FILE"
        others=$(kept_packages)
        [ -z "$others" ] || printf '%s\n' "$others" | sed 's/^/  kept      /'
    elif [ "$(package_build "$file")" = "$(installed_build "$1")" ]; then
        say "$target, kept from before, is the very same build: nothing to go back to"
    elif [ "$(setting AUTO_ROLLBACK no)" = yes ] &&
        systemctl start --no-block "fastapi-health-rollback@$(systemd-escape "$1").service"; then
        say "AUTO_ROLLBACK=yes: $target is installed again once pacman is done; see: fastapi-health releases history"
    else
        say "to roll back to $target:"
        printf '    pacman -U %s\n' "$file"
    fi
}

# find_package VERSION: the file of a kept release, or of one in pacman's cache.
find_package() {
    for file in "$state/$package-$1"-*.pkg.tar.zst; do
        [ ! -e "$file" ] || { echo "$file"; return; }
    done
    for cache in $(pacman-conf CacheDir 2>/dev/null); do
        for file in "${cache%/}/$package-$1"-*.pkg.tar.*; do
            case $file in *.sig | *.part) continue ;; esac
            [ ! -e "$file" ] || { echo "$file"; return; }
        done
    done
    return 1
}

# conclude VERDICT WAITED_MS MESSAGE: the event is over. Uses event, old and new.
conclude() {
    rm -f "$state/pending"
    if [ "$1" != skipped ] && [ "$event" != node ] && make_state; then
        echo "$1 $new $(installed_build "$new")" >"$state/verdict"
    fi
    record "$@"
}

# record VERDICT WAITED_MS MESSAGE: one structured entry, in journald's own form (see logger(1)).
record() {
    priority=6
    [ "$1" = healthy ] || priority=4
    [ "$1" != bad ] || priority=3
    logger --journald 2>/dev/null <<END
MESSAGE_ID=$message_id
MESSAGE=$event ${old:+from $old }to $new: $1 ($3)
PRIORITY=$priority
SYSLOG_IDENTIFIER=$package
EVENT=$event
OLD=$old
NEW=$new
VERDICT=$1
WAITED_MS=$2
END
}

# known_bad VERSION: whether this build failed when it was installed.
known_bad() {
    [ "$(cat "$state/verdict" 2>/dev/null)" = "bad $1 $(installed_build "$1")" ]
}

# answers_now VERSION: a last chance for a release that failed once; not in a rollback, where there is no time to lose.
answers_now() {
    [ -z "${FASTAPI_HEALTH_ROLLBACK:-}" ] && booted && systemctl --quiet is-active "$socket" && ask "$(address)" "$1" 2
}
