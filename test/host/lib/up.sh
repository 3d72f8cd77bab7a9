# "up": the whole way from a checkout to a running service, on any Linux with apt-get.
# shellcheck shell=bash disable=SC2154,SC2164 # sourced by ../host, which sets the variables and -e

# What the test host needs of this machine: a program or file, and the package that has it.
prerequisites=(
  mmdebstrap:mmdebstrap
  systemd-nspawn:systemd-container
  /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring
  git:git
  npm:npm
  nsenter:util-linux
  mount:mount
  ps:procps
)

install_prerequisites() {
  local entry missing=()
  for entry in "${prerequisites[@]}"; do
    [[ -e ${entry%:*} ]] || command -v "${entry%:*}" >/dev/null || missing+=("${entry#*:}")
  done
  if ((${#missing[@]} == 0)); then
    say "Nothing to install: all prerequisites are there."
    return
  fi
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}; there is no apt-get to install them with, install them by hand"
  say "Installing: ${missing[*]}"
  apt-get update --quiet=2 >&2 || say "apt-get update failed; trying with the package lists there are."
  DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
}

step() {
  say ""
  say "== $1"
}

up() {
  local demo=demo package started=$EPOCHREALTIME
  need_root

  step "Prerequisites"
  install_prerequisites

  step "The base of the test host"
  say "$(base_built)"

  step "A fresh host"
  [[ ! -d $cache/hosts/$demo ]] || host_stop "$demo" now
  host_boot "$demo" '' '' >/dev/null

  step "The package: makepkg, as a user of the host"
  package=$(package '' '' '' check)
  say "$package"

  step "pacman -U"
  (host_run "$demo" root tee "/root/${package##*/}") <"$package" >/dev/null
  (host_run "$demo" root pacman --upgrade --noconfirm "/root/${package##*/}") >&2

  step "curl --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health"
  say "$(host_run "$demo" root curl --silent --show-error --fail --max-time 30 --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health)"

  step "Done in $(seconds_since "$started"); host '$demo' keeps running"
  cat >&2 <<END
Look at it:
  $host_command run $demo -- systemctl status fastAPI-unix.socket fastAPI-unix.service
  $host_command run $demo -- journalctl --no-pager -u fastAPI-unix.service
  $host_command run $demo -- curl --unix-socket /run/fastAPI/fastAPI.sock http://localhost/health
  $host_command run $demo -- bash
Stop it and take it away:
  $host_command stop $demo
END
}
