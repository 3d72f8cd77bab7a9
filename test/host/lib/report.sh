# How the commands speak: results on standard output, everything else on standard error.
# shellcheck shell=bash disable=SC2154,SC2164 # sourced by ../host, which sets the variables and -e

fail() {
  echo "host: $*" >&2
  exit 1
}

usage_error() {
  printf 'host: %s\n%s\n' "$1" "${2-}" >&2
  exit 64
}

say() {
  echo "$*" >&2
}

# Seconds, with milliseconds, since the time given.
seconds_since() {
  local now=${EPOCHREALTIME/[.,]/} then=${1/[.,]/}
  local elapsed=$(((now - then) / 1000))
  printf '%d.%03d s\n' $((elapsed / 1000)) $((elapsed % 1000))
}

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail "'$program' is needed and was not found; '$host_command up' installs what is missing on a system with apt-get"
  done
}

need_root() {
  [[ $EUID -eq 0 ]] || fail "root is needed to boot a host, this is uid $EUID; run the same command with sudo"
}
