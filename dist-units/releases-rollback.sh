# shellcheck shell=sh disable=SC2034,SC2154 # sourced by releases.sh; they share their variables
# rollback: an administrator goes back. undo: the service does, where AUTO_ROLLBACK=yes.

# rollback [VERSION] [--yes] [--dry-run]
rollback() {
    yes='' dry='' wanted=''
    for argument in "$@"; do
        case $argument in
        --yes | -y) yes=yes ;;
        --dry-run | -n) dry=dry ;;
        --help | -h) printf '%s' "$usage"; return ;;
        -*) fail 64 "rollback: expected --yes or --dry-run, got '$argument'" ;;
        *)
            [ -z "$wanted" ] || fail 64 "rollback: expected one VERSION, got '$wanted' and '$argument'"
            wanted=$argument
            ;;
        esac
    done
    need_root rollback
    now=$(installed_release)
    [ -n "$now" ] || fail 1 "$package is not installed; install it: pacman -U FILE"
    target=$(choose_release "$wanted") || exit
    file=$(find_package "$target")
    [ "$target" != "$now" ] || [ "$(package_build "$file")" != "$(installed_build "$now")" ] ||
        fail 1 "$target is installed already"
    if [ -n "$dry" ]; then
        say "would go from $now to $target: pacman -U --noconfirm $file"
        return
    fi
    [ ! -e "$lock" ] || fail 1 "pacman's database is locked: $(lock_holder)"
    if [ -z "$yes" ]; then
        printf 'Go from %s to %s? [y/N] ' "$now" "$target"
        read -r answer || answer=
        case $answer in y | Y | yes) ;; *) fail 1 'nothing was done' ;; esac
    fi
    FASTAPI_HEALTH_ROLLBACK=manual pacman -U --noconfirm "$file" ||
        fail 1 "pacman did not install $file, $(installed_release) stays; what it said is above"
    [ "$(verdict_of "$target")" != bad ] || exit 1
}

# choose_release WANTED: pkgver-pkgrel, or pkgver alone where that is enough. By default the one that the installed release
# replaced, unless we have just come back from that; else the newest that is older.
choose_release() {
    found=''
    replaced=$(cat "$state/replaced" 2>/dev/null)
    if [ -z "$1" ] && [ -n "$replaced" ] && find_package "$replaced" >/dev/null &&
        { [ "$(vercmp "$replaced" "$now")" -lt 0 ] || known_bad "$now"; }; then
        echo "$replaced"
        return
    fi
    for release in $(known_releases); do
        case $1 in
        '')
            [ "$(vercmp "$release" "$now")" -lt 0 ] || continue
            [ -n "$found" ] && [ "$(vercmp "$release" "$found")" -lt 0 ] || found=$release
            ;;
        "$release" | "${release%-*}") [ -n "$found" ] || found=$release ;;
        esac
    done
    if [ -z "$found" ]; then
        list=$(known_releases | paste -s -d ' ')
        [ -n "$1" ] || fail 1 "no release older than $now is kept or in pacman's cache (there are: ${list:-none})"
        fail 1 "$1 is neither kept nor in pacman's cache; there are: ${list:-none}"
    fi
    echo "$found"
}

# What can be installed again, kept or cached, each once.
known_releases() {
    {
        kept_packages
        cached_packages
    } | sed "s|.*/$package-||; s|-[^-]*\$||" | awk '!seen[$0]++'
}

# lock_holder: who has pacman's lock open, or what to do with one that nobody has.
lock_holder() {
    descriptor=$(find /proc/[0-9]*/fd -lname "$lock" 2>/dev/null | head -n 1)
    if [ -z "$descriptor" ]; then
        echo "no process has $lock open, so an interrupted one left it; if no pacman is running: rm $lock"
        return 1
    fi
    process=${descriptor#/proc/}
    process=${process%%/*}
    echo "process $process ($(tr '\000' ' ' 2>/dev/null <"/proc/$process/cmdline" | cut -c 1-80)) is at work; try again when it is done"
}

# verdict_of VERSION: healthy, bad, or nothing where it was not asked.
verdict_of() {
    read -r verdict release build 2>/dev/null <"$state/verdict" || return 0
    [ "$release $build" != "$1 $(installed_build "$1")" ] || echo "$verdict"
}

# How long pacman's lock is waited for, in seconds: where a process has it, and where none has.
lock_patience=${LOCK_PATIENCE:-900}
stale_patience=${STALE_PATIENCE:-30}

# undo BAD: waits for pacman, then installs what BAD replaced. Once: what that brings is not undone.
undo() {
    need_root undo
    bad=${1:-} event=rollback old=$bad
    build=$(installed_build "$bad")
    target=$(cat "$state/replaced" 2>/dev/null)
    new=$target
    began_ms=$(now_ms)
    until attempt_undo; do
        # pacman can be between our look at its lock and its own: then we wait again.
        [ -e "$lock" ] || give_up "pacman did not install $file, see above"
    done
    if [ "$(verdict_of "$target")" = bad ]; then
        echo "fastapi-health: $target, rolled back to, does not serve either; nothing more is tried" >&2
        exit 1
    fi
    say "rolled back from $bad to $target, $(($(now_ms) - began_ms)) ms after the verdict"
}

attempt_undo() {
    wait_for_lock
    # Somebody else may have mended it in the meantime.
    if [ "$(installed_release)" != "$bad" ] || [ "$(installed_build "$bad")" != "$build" ]; then
        say "$bad is no longer installed, $(installed_release) is: nothing to undo"
        exit 0
    fi
    file=$(find_package "$target") || give_up "no package of $target is kept or in pacman's cache"
    FASTAPI_HEALTH_ROLLBACK=auto pacman -U --noconfirm "$file"
}

wait_for_lock() {
    since=$(now_ms)
    unheld_since=$since
    looks=0
    while [ -e "$lock" ]; do
        # Who has it is asked once a second: that looks through all processes.
        if [ $((looks % 10)) -eq 0 ]; then
            moment=$(now_ms)
            if holder=$(lock_holder); then
                unheld_since=$moment
            elif [ $((moment - unheld_since)) -ge $((stale_patience * 1000)) ]; then
                give_up "$holder"
            fi
            [ $((moment - since)) -lt $((lock_patience * 1000)) ] || give_up "pacman's lock stayed for $lock_patience s: $holder"
        fi
        looks=$((looks + 1))
        sleep 0.1
    done
}

# give_up WHY
give_up() {
    record failed "$(($(now_ms) - began_ms))" "$1"
    printf 'fastapi-health: %s was not rolled back to %s: %s\n' "$bad" "$target" "$1" >&2
    ! file=$(find_package "$target") || printf 'fastapi-health: to roll back then: pacman -U %s\n' "$file" >&2
    exit 1
}
