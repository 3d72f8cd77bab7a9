# The base: a root file system that every host starts as a copy of. Built once, then cached.
# shellcheck shell=bash disable=SC2154,SC2164 # sourced by ../host, which sets the variables and -e

# Changes with everything that shapes the base, so that a change builds another one.
base_key() {
  local bench=$1
  (
    cd "$host_home"
    find lib/base.sh dress debian-packages debian-packages-bench rootfs -type f -print0 | sort --zero-terminated |
      xargs --null sha256sum
    find rootfs -type f -perm /111 | sort
    npm --version
  ) | sha256sum | cut -c 1-12 | sed "s/^/$suite${bench:+-bench}-/"
}

# Prints the base's directory, and builds it first if it is not there.
base_built() {
  local bench=${1-} key directory
  need mmdebstrap systemd-nspawn tar npm
  key=$(base_key "$bench")
  directory=$cache/base/$key
  mkdir -p "$cache/base"
  if [[ ! -e $directory/done ]]; then
    exec {lock}>"$cache/base/$key.lock"
    flock "$lock"
    # Another process may have built it while this one waited.
    [[ -e $directory/done ]] || base_make "$directory" "$bench" >&2
    exec {lock}>&-
  fi
  # Says when it was last wanted.
  touch "$directory/done"
  echo "$directory"
}

base_make() {
  local directory=$1 bench=$2 started=$EPOCHREALTIME log=$1/log packages
  say "Building the base of the test host: Debian '$suite' dressed as Arch, once; this takes about a minute."
  rm -rf "$directory"
  mkdir -p "$directory/root"
  packages=$(cat "$host_home/debian-packages" ${bench:+"$host_home/debian-packages-bench"} | grep --invert-match '^#' | paste --serial --delimiters=,)

  # A suite newer than this machine's may be signed with files whose date has passed: still
  # signed, only no longer fresh. Without a mirror named, mmdebstrap picks the usual one.
  if ! mmdebstrap --variant=minbase --format=tar --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt='force-unsafe-io' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" - 2>"$log" |
    tar --extract --directory="$directory/root" --numeric-owner --xattrs --xattrs-include='*'; then
    tail --lines=20 "$log" >&2
    fail "mmdebstrap could not make a root of Debian '$suite' (its last lines are above, all of them in $log); check that this machine reaches a Debian mirror, or set HOST_SUITE to another suite"
  fi
  base_add_npm "$directory/root"
  cp --recursive --no-preserve=ownership "$host_home/rootfs/." "$directory/root/"
  if ! base_run "$directory/root" <"$host_home/dress" >>"$log" 2>&1; then
    tail --lines=20 "$log" >&2
    fail "the base could not be dressed as Arch: test/host/dress failed (its last lines are above, all of them in $log)"
  fi
  touch "$directory/done"
  base_drop_unused "$directory"
  say "Base built in $(seconds_since "$started"): $directory ($(du --summarize --human-readable "$directory/root" | cut -f 1))"
}

# Debian's npm package brings several hundred others; npm itself is one self-contained folder.
base_add_npm() {
  local root=$1 folder scratch
  folder=$(dirname "$(dirname "$(readlink --canonicalize "$(command -v npm)")")")
  mkdir -p "$root/usr/lib/node_modules"
  if [[ -d $folder/node_modules && -f $folder/bin/npm-cli.js ]]; then
    cp --archive --no-preserve=ownership "$folder" "$root/usr/lib/node_modules/npm"
  else
    scratch=$(mktemp --directory)
    (cd "$scratch" && npm pack --silent npm@11 >/dev/null && tar --extract --file npm-*.tgz)
    mv "$scratch/package" "$root/usr/lib/node_modules/npm"
    rm -rf "$scratch"
  fi
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
}

# base_run ROOT OPTION...: runs the script on standard input in a root that is not booted.
base_run() {
  local root=$1 status=0
  shift
  (
    in_own_cgroup "once-$$" systemd-nspawn --quiet --directory="$root" --machine="once-$$" --as-pid2 --pipe --register=no \
      --keep-unit --private-network --resolv-conf=off --timezone=off --link-journal=no --settings=no \
      --setenv=LANG=C.UTF-8 --setenv=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "$@" bash -s
  ) || status=$?
  drop_cgroup "once-$$"
  return "$status"
}

# A base of the same suite that no host is a copy of, and nobody wanted for an hour, is a leftover
# of an older test/host. The hour is for other checkouts on this machine.
base_drop_unused() {
  local kept=$1 other prefix
  prefix=${kept##*/}
  prefix=${prefix%-*}
  for other in "$cache/base/$prefix"-????????????; do
    [[ $other != "$kept" && -n $(find "$other/done" -mmin +60 2>/dev/null) ]] || continue
    grep --quiet --line-regexp --fixed-strings --no-messages "$other" "$cache"/hosts/*/base || rm -rf "$other" "$other.lock"
  done
}
