# Processes that outlive the command that started them: who they are, whether they live, their cgroup.
# shellcheck shell=bash

# Pids are given again to others; pid, start time and boot together are not.
identity() {
  local stat boot
  stat=$(<"/proc/$1/stat") 2>/dev/null || return 1
  boot=$(</proc/sys/kernel/random/boot_id)
  # The command's name, in brackets, may hold spaces; the start time is the 20th field after it.
  # shellcheck disable=SC2086
  set -- "$1" ${stat##*) }
  [[ $2 != Z ]] || return 1
  echo "$1 ${21} $boot"
}

# Whether the process whose identity the file holds is still alive.
alive() {
  local pid rest
  [[ -s $1 ]] || return 1
  read -r pid rest <"$1"
  [[ $(identity "$pid" 2>/dev/null) == "$pid $rest" ]]
}

# kill_recorded SIGNAL FILE: never signals anyone but the very process that was recorded.
kill_recorded() {
  local pid
  alive "$2" || return 0
  read -r pid _ <"$2"
  kill -s "$1" "$pid" 2>/dev/null || true
}

# wait_gone SECONDS FILE
wait_gone() {
  local deadline=$((SECONDS + $1))
  while alive "$2"; do
    ((SECONDS <= deadline)) || return 1
    sleep 0.02
  done
}

# The hierarchies that systemd uses: the unified one, and its own where the old ones are mounted too.
cgroup_hierarchies() {
  awk '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ /(^|,)name=systemd(,|$)/) { print $2 }' /proc/mounts
}

# Where cgroups are read-only the process stays where it is.
join_cgroup() {
  if mkdir -p "$1" 2>/dev/null; then
    { echo "$BASHPID" >"$1/cgroup.procs"; } 2>/dev/null || true
  fi
}

# in_own_cgroup NAME COMMAND...: becomes the command. Two hosts in one cgroup would take each
# other's processes for their own.
in_own_cgroup() {
  local name=fastapi-host-$1 hierarchy
  shift
  if [[ -d /run/systemd/system ]]; then
    exec systemd-run --quiet --scope --collect --unit="$name" --property=Delegate=yes -- "$@"
  fi
  for hierarchy in $(cgroup_hierarchies); do
    join_cgroup "$hierarchy/$name"
  done
  exec "$@"
}

drop_cgroup() {
  local hierarchy
  for hierarchy in $(cgroup_hierarchies); do
    find "$hierarchy/fastapi-host-$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}
