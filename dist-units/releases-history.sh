# shellcheck shell=sh disable=SC2034,SC2154 # sourced by releases.sh; they share their variables
# history: what happened to the installed release: our own entries of the journal, and pacman's log for what the journal
# has no entry of.

history() {
    events=$({
        journal_events
        pacman_events
    } | sort -s -n -k 1,1)
    printf '%-19s  %-9s  %-12s  %-12s  %-8s  %s\n' WHEN EVENT FROM TO VERDICT WAITED
    [ -n "$events" ] || return 0
    # pacman writes its line when the files are in place; the verdict on them follows within minutes.
    printf '%s\n' "$events" | awk '
        { source[NR] = $2; time[NR] = $1; to[NR] = $5; line[NR] = $0 }
        END {
            for (i = 1; i <= NR; i++) {
                told = 0
                for (j = 1; source[i] == "log" && j <= NR && !told; j++)
                    if (source[j] == "journal" && !claimed[j] && to[j] == to[i] && time[j] >= time[i] && time[j] - time[i] < 600)
                        told = claimed[j] = 1
                if (!told) print line[i]
            }
        }' | while read -r time _ event old new verdict waited; do
        [ "$waited" = - ] || waited="$waited ms"
        printf '%-19s  %-9s  %-12s  %-12s  %-8s  %s\n' "$(date -d "@$time" '+%F %T')" "$event" "$old" "$new" "$verdict" "$waited"
    done
}

# Lines of: seconds journal EVENT OLD NEW VERDICT WAITED_MS, "-" for what is empty.
journal_events() {
    journalctl --quiet --no-pager --output=export --output-fields=EVENT,OLD,NEW,VERDICT,WAITED_MS \
        "MESSAGE_ID=$message_id" 2>/dev/null | awk -F = '
        function or_dash(text) { return text == "" ? "-" : text }
        /^__REALTIME_TIMESTAMP=/ { time = substr($2, 1, length($2) - 6) }
        /^(EVENT|OLD|NEW|VERDICT|WAITED_MS)=/ { value[$1] = $2 }
        /^$/ && time {
            print time, "journal", or_dash(value["EVENT"]), or_dash(value["OLD"]), or_dash(value["NEW"]),
                or_dash(value["VERDICT"]), or_dash(value["WAITED_MS"])
            time = ""
            split("", value)
        }'
}

# The same, with "log" for "journal": [2026-11-22T14:08:48+0000] [ALPM] upgraded fastapi-health (1.0.0-1 -> 1.1.0-1)
pacman_events() {
    sed -n "s/^\\[\\([^]]*\\)\\] \\[ALPM\\] \\([a-z]*\\) $package (\\(.*\\))\$/\\1 \\2 \\3/p" \
        "$(pacman-conf LogFile 2>/dev/null || echo /var/log/pacman.log)" 2>/dev/null |
        while read -r time event first _ second; do
            time=$(date -d "$time" +%s) || continue
            case $event in
            installed) echo "$time log install - $first - -" ;;
            upgraded) echo "$time log upgrade $first $second - -" ;;
            downgraded) echo "$time log downgrade $first $second - -" ;;
            reinstalled) echo "$time log reinstall $first $first - -" ;;
            removed) echo "$time log remove $first - - -" ;;
            esac
        done
}
