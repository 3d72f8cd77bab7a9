# Hosts: copies of the base that are booted, run in, stopped and taken away.
# shellcheck shell=bash disable=SC2154,SC2164 # sourced by ../host, which sets the variables and -e
# A host is a directory $cache/hosts/NAME: base (which one it is a copy of), owner, nspawn and init
# (identities of processes), console, and root (where it is mounted) over upper (what it changed).

boot_timeout_s=90
poweroff_timeout_s=30

host_directory() {
  [[ ${1-} =~ ^[a-z][a-z0-9-]{0,40}$ ]] || usage_error "'${1-}' is no name of a host; expected a small letter, then small letters, digits or hyphens, 41 at most"
  echo "$cache/hosts/$1"
}

existing_host() {
  local directory
  directory=$(host_directory "$1")
  [[ -d $directory ]] || fail "there is no host '$1'; '$host_command list' shows those there are, '$host_command boot $1' makes one"
  echo "$directory"
}

running_host() {
  local directory
  directory=$(existing_host "$1")
  alive "$directory/init" || fail "host '$1' is not running; '$host_command boot $1' starts it again"
  echo "$directory"
}

# Unlike its name, also unique among hosts in different caches.
machine_name() {
  echo "$1-$(cksum <<<"$cache" | cut --delimiter=' ' --fields=1)"
}

# host_boot NAME OWNER_PID BENCH: OWNER_PID may be empty, then the host stays until it is stopped.
host_boot() {
  local name=$1 owner=$2 bench=$3 started=$EPOCHREALTIME directory
  need_root
  need systemd-nspawn nsenter
  directory=$(host_directory "$name")
  reap
  if alive "$directory/nspawn"; then
    fail "host '$name' is running already; '$host_command stop $name' takes it away, '$host_command poweroff $name' stops it and keeps its files"
  fi
  [[ -d $directory ]] || host_copy "$directory" "$owner" "$(base_built "$bench")"
  [[ -z $owner ]] || identity "$owner" >"$directory/owner"
  host_mount "$directory"
  host_start "$name" "$directory"
  host_wait "$name" "$directory" "$started"
  printf '%s\t%s\t%s\n' "$name" "$(cut --delimiter=' ' --fields=1 "$directory/init")" "$directory/root"
}

# Appears under its name only when its owner is written, so nobody takes it for a leftover.
host_copy() {
  local directory=$1 owner=$2 base=$3 fresh
  fresh=$(mktemp --directory "$cache/hosts/.new-XXXXXX")
  chmod 755 "$fresh"
  mkdir "$fresh"/{root,upper,work}
  echo "$base" >"$fresh/base"
  [[ -z $owner ]] || identity "$owner" >"$fresh/owner" || fail "--owner: there is no process $owner"
  mv --no-target-directory "$fresh" "$directory"
}

# An overlay is a copy at no cost; where it is not to be had, a real one.
host_mount() {
  local directory=$1 base
  base=$(<"$directory/base")/root
  if mountpoint --quiet "$directory/root" || [[ -e $directory/copied ]]; then
    return
  fi
  if ! mount -t overlay overlay -o "lowerdir=$base,upperdir=$directory/upper,workdir=$directory/work" "$directory/root" 2>/dev/null; then
    say "No overlay can be mounted below $directory; copying the base instead."
    rmdir "$directory/root"
    cp --archive --reflink=auto "$base" "$directory/root"
    touch "$directory/copied"
  fi
}

host_start() {
  local name=$1 directory=$2 machine
  machine=$(machine_name "$name")
  rm -f "$directory/init"
  # The unified hierarchy is the only one that recent versions of systemd boot on.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 in_own_cgroup "$machine" \
    setsid systemd-nspawn --quiet --directory="$directory/root" --machine="$machine" --hostname="$name" --boot --private-network \
    --register=no --keep-unit --console=read-only --resolv-conf=off --timezone=off --link-journal=no --settings=no \
    --suppress-sync=yes </dev/null >"$directory/console" 2>&1 &
  identity $! >"$directory/nspawn" || fail "host '$name' ended at once: $(<"$directory/console")"
  disown
}

host_wait() {
  local name=$1 directory=$2 started=$3 init='' state deadline=$((SECONDS + boot_timeout_s))
  until [[ -n $init ]]; do
    if ! alive "$directory/nspawn"; then
      tail --lines=20 "$directory/console" >&2
      fail "host '$name' did not boot: systemd-nspawn ended (what it said is above)"
    fi
    ((SECONDS < deadline)) || fail "host '$name' did not boot within $boot_timeout_s s; its console is $directory/console"
    init=$(host_find_init "$directory") || sleep 0.02
  done
  identity "$init" >"$directory/init"
  state=$(host_enter "$directory" 0 0 /root root timeout "$boot_timeout_s" systemctl is-system-running --wait) || true
  case $state in
    running) ;;
    degraded) (host_enter "$directory" 0 0 /root root systemctl list-units --failed --no-pager --plain --legend=no >&2) ;;
    *) fail "host '$name' was expected to come up within $boot_timeout_s s, but is '${state:-silent}'; its console is $directory/console" ;;
  esac
  say "Host '$name' is $state, booted in $(seconds_since "$started")."
}

# systemd-nspawn's child that is pid 1 inside, once systemd listens there.
host_find_init() {
  local nspawn child
  read -r nspawn _ <"$1/nspawn"
  for child in $(ps --no-headers -o pid --ppid "$nspawn"); do
    if grep --quiet --extended-regexp '^NSpid:.*[[:space:]]1$' "/proc/$child/status" 2>/dev/null &&
      [[ -S /proc/$child/root/run/systemd/private ]]; then
      echo "$child"
      return
    fi
  done
  return 1
}

# host_enter DIRECTORY UID GID HOME USER COMMAND...: becomes the command, with its streams and its status.
host_enter() {
  local directory=$1 uid=$2 gid=$3 home=$4 user=$5 init group hierarchy switch=()
  shift 5
  read -r init _ <"$directory/init"
  [[ $uid == 0 ]] || switch=(setpriv --reuid="$uid" --regid="$gid" --init-groups)
  group=$(awk -F: '$1 == 0 { print $3 }' "/proc/$init/cgroup")
  # Beside the host's own units, so that none of them is charged or killed for it.
  for hierarchy in $(cgroup_hierarchies); do
    if [[ -d $hierarchy$group && $group == */init.scope ]]; then
      join_cgroup "$hierarchy${group%/init.scope}/host-run"
    fi
  done
  exec nsenter --target "$init" --all env --ignore-environment LANG=C.UTF-8 HOME="$home" USER="$user" LOGNAME="$user" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin SHELL=/bin/bash ${TERM:+TERM="$TERM"} "${switch[@]}" "$@"
}

# host_run NAME USER COMMAND...: becomes the command.
host_run() {
  local name=$1 user=$2 directory init entry uid gid home
  shift 2
  need_root
  directory=$(running_host "$name")
  read -r init _ <"$directory/init"
  entry=$(awk -F: -v user="$user" '$1 == user { print $3, $4, $6 }' "/proc/$init/root/etc/passwd")
  [[ -n $entry ]] || fail "host '$name' has no user '$user'; its /etc/passwd lists those it has"
  read -r uid gid home <<<"$entry"
  host_enter "$directory" "$uid" "$gid" "$home" "$user" "$@"
}

# A clean shutdown; the files are kept.
host_poweroff() {
  local name=$1 directory
  directory=$(existing_host "$name")
  # To systemd this signal means: power off.
  kill_recorded RTMIN+4 "$directory/init"
  if ! wait_gone "$poweroff_timeout_s" "$directory/nspawn"; then
    say "Host '$name' did not shut down within $poweroff_timeout_s s; cutting its power."
  fi
  host_kill "$name"
}

# A power cut: with its init every process of the host is gone at once; the files are kept.
host_kill() {
  local name=$1 directory
  directory=$(existing_host "$name")
  kill_recorded KILL "$directory/init"
  wait_gone 5 "$directory/nspawn" || kill_recorded KILL "$directory/nspawn"
  wait_gone 5 "$directory/nspawn" || fail "host '$name': systemd-nspawn (pid, start: $(<"$directory/nspawn")) survived SIGKILL"
  rm -f "$directory/init" "$directory/nspawn"
  drop_cgroup "$(machine_name "$name")"
}

# host_stop NAME NOW: with NOW without waiting for its services.
host_stop() {
  local name=$1 now=$2 directory
  need_root
  directory=$(existing_host "$name")
  if [[ -n $now ]]; then
    host_kill "$name"
  else
    host_poweroff "$name"
  fi
  host_remove "$directory"
}

host_remove() {
  local directory=$1
  if mountpoint --quiet "$directory/root"; then
    umount "$directory/root" 2>/dev/null || umount --lazy "$directory/root"
  fi
  rm -rf "$directory"
}

host_names() {
  local directory
  for directory in "$cache"/hosts/*/; do
    [[ ! -d $directory ]] || basename "$directory"
  done
}

host_list() {
  local name directory state owner
  for name in $(host_names); do
    directory=$cache/hosts/$name
    state=stopped owner=-
    ! alive "$directory/init" || state=running
    [[ ! -s $directory/owner ]] || read -r owner _ <"$directory/owner"
    printf '%s\t%s\towner %s\t%s\n' "$name" "$state" "$owner" "$directory/root"
  done
}

# Takes away the hosts whose owner is gone: a test run that was killed cannot do it itself.
reap() {
  local name directory
  mkdir -p "$cache/hosts"
  exec {reaping}>"$cache/hosts/.reaping"
  # Another process is at it already.
  flock --nonblock "$reaping" || { exec {reaping}>&-; return 0; }
  for name in $(host_names); do
    directory=$cache/hosts/$name
    if [[ -s $directory/owner ]] && ! alive "$directory/owner"; then
      say "Taking away host '$name': the process that booted it is gone."
      # In a shell of its own that cannot hold the lock longer than this one.
      (host_stop "$name" now) || say "It could not be taken away; the next boot tries again."
    fi
  done
  find "$cache/hosts" -maxdepth 1 -name '.new-*' -mmin +10 -exec rm -rf {} +
  exec {reaping}>&-
}
