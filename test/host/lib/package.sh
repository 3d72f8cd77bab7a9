# Packages: built from the checkout by makepkg in the base, as the user builder, without a network.
# shellcheck shell=bash disable=SC2154,SC2164 # sourced by ../host, which sets the variables and -e

builder_uid=1000
packages_kept=4
checkout=$(dirname "$(dirname "$host_home")")

# The files of the checkout that are the project's: tracked, or new and not ignored.
checkout_files() {
  local git=(git -C "$checkout" -c safe.directory='*')
  if "${git[@]}" rev-parse --git-dir >/dev/null 2>&1; then
    "${git[@]}" ls-files --cached --others --exclude-standard --deduplicate -z
  else
    (cd "$checkout" && find . \( -name node_modules -o -path ./build -o -name .git \) -prune -o \( -type f -o -type l \) -printf '%P\0')
  fi | sort --zero-terminated | (
    cd "$checkout"
    # One that is tracked and deleted is still listed.
    while IFS= read -r -d '' file; do
      [[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
    done
  )
}

# What a package is made of; the tests are not.
checkout_hash() {
  checkout_files | grep --null-data --invert-match --extended-regexp '^(test|\.ci)/' | (
    cd "$checkout"
    xargs --null sha256sum
  ) | { cat; base_key ''; } | sha256sum | cut -c 1-16
}

# Fills, once for each lock file, the npm cache that stands in for the registry; prints where it is.
npm_cache() {
  local key directory scratch started=$EPOCHREALTIME
  key=$(cat "$checkout/package-lock.json" <(npm config get registry 2>/dev/null) | sha256sum | cut -c 1-16)
  directory=$cache/npm/$key
  if [[ ! -e $directory/done ]]; then
    mkdir -p "$cache/npm"
    exec {npm_lock}>"$cache/npm/$key.lock"
    flock "$npm_lock"
    if [[ ! -e $directory/done ]]; then
      scratch=$(mktemp --directory)
      cp "$checkout/package.json" "$checkout/package-lock.json" "$scratch"
      if ! (cd "$scratch" && npm ci --ignore-scripts --no-audit --no-fund --prefer-online --cache "$directory" >"$scratch/log" 2>&1); then
        tail --lines=20 "$scratch/log" >&2
        rm -rf "$scratch"
        fail "npm could not fetch what package-lock.json names (its last lines are above); check that this machine reaches an npm registry"
      fi
      rm -rf "$scratch"
      chown --recursive "$builder_uid:$builder_uid" "$directory"
      touch "$directory/done"
      say "Filled the npm cache in $(seconds_since "$started"): $directory"
    fi
    exec {npm_lock}>&-
  fi
  echo "$directory"
}

# makepkg_in_base FOLDER OPTION...: FOLDER, that of a PKGBUILD, is always at the same place inside,
# because a package records where it was built.
makepkg_in_base() {
  local folder=$1 base npm registry log=$1.log
  shift
  base=$(base_built)
  npm=$(npm_cache)
  registry=$(npm config get registry 2>/dev/null)
  if ! base_run "$base/root" --volatile=overlay --bind="$folder:/home/builder/fastapi-health" --bind="$npm:/home/builder/.npm" \
    --setenv=npm_config_offline=true --setenv=npm_config_registry="$registry" --setenv=npm_config_update_notifier=false \
    --setenv=SOURCE_DATE_EPOCH=1735689600 --setenv=HOME=/home/builder --setenv=USER=builder --setenv=LOGNAME=builder \
    >"$log" 2>&1 <<END; then
cd /home/builder/fastapi-health
exec setpriv --reuid=builder --regid=builder --init-groups makepkg --force --noconfirm $*
END
    # systemd-nspawn's own last words, about a directory of its own, would only mislead.
    grep --invert-match 'Attempted to remove disk file system' "$log" | tail --lines=40 >&2
    fail "makepkg $* failed (its last lines are above, all of them in $log)"
  fi
}

# The package that makepkg left in a folder.
built_package() {
  local packages=("$1"/*.pkg.tar.zst)
  [[ ${#packages[@]} -eq 1 && -f ${packages[0]} ]] || fail "makepkg was expected to leave one package in $1, found: ${packages[*]}"
  echo "${packages[0]}"
}

# Every content of the checkout leaves a few hundred megabytes behind. One of the last hours may be in use by another run.
packages_drop_old() {
  find "$cache/packages" -mindepth 1 -maxdepth 1 -type d -mmin +180 -printf '%T@\t%p\0' | sort --zero-terminated --numeric-sort --reverse |
    tail --zero-terminated --lines=+"$((packages_kept + 1))" | cut --zero-terminated --fields=2 | xargs --null --no-run-if-empty rm -rf
}

# A complete build of the checkout, once for each content; the folder is kept, variants start from it.
package_complete() {
  local folder=$1 check=$2 started=$EPOCHREALTIME
  [[ ! -e $folder.done && -z $check || ! -e $folder.checked && -n $check ]] || return 0
  packages_drop_old
  rm -rf "$folder" "$folder.done"
  mkdir -p "$folder"
  checkout_files | tar --create --directory="$checkout" --null --files-from=- | tar --extract --directory="$folder"
  chown --recursive --no-dereference "$builder_uid:$builder_uid" "$folder"
  if [[ -n $check ]]; then
    makepkg_in_base "$folder"
    touch "$folder.checked"
  else
    makepkg_in_base "$folder" --nocheck
  fi
  touch "$folder.done"
  say "Built the package in $(seconds_since "$started")."
}

# package_variant COMPLETE FOLDER VERSION PKGREL EDIT: only build() and package() run again.
package_variant() {
  local complete=$1 folder=$2 version=$3 pkgrel=$4 edit=$5 sources started=$EPOCHREALTIME
  rm -rf "$folder"
  mkdir -p "$folder"
  tar --create --directory="$complete" --exclude=node_modules --exclude='*.pkg.tar.zst' . | tar --extract --directory="$folder"
  sources=$folder/build/makepkg/fastapi-health/src/fastapi-health
  [[ -d $sources ]] || fail "the sources were expected in $sources after a complete build; has the PKGBUILD moved them?"
  # Most of the size, and no build writes there: links do.
  cp --archive --link "$complete/${sources#"$folder/"}/node_modules" "$sources/"
  if [[ -n $version ]]; then
    sed --in-place --regexp-extended '0,/"version": "[^"]*"/s//"version": "'"$version"'"/' "$folder/package.json" "$sources/package.json"
    # 1.3.0-rc.1 of npm is 1.3.0rc1 of pacman.
    version=$(sed --regexp-extended 's/-([a-z]+)\.?/\1/' <<<"$version")
    sed --in-place "s/^pkgver=.*/pkgver=$version/" "$folder/PKGBUILD"
  fi
  [[ -z $pkgrel ]] || sed --in-place "s/^pkgrel=.*/pkgrel=$pkgrel/" "$folder/PKGBUILD"
  if [[ -n $edit ]]; then
    (cd "$sources" && STARTDIR=$folder bash -euc "$edit") || fail "--edit: the script ended with status $?: $edit"
  fi
  chown --recursive --no-dereference "$builder_uid:$builder_uid" "$folder"
  makepkg_in_base "$folder" --noextract --nocheck
  say "Built a variant of the package in $(seconds_since "$started")."
}

# package VERSION PKGREL EDIT CHECK: prints the path of the package; each may be empty.
package() {
  local version=$1 pkgrel=$2 edit=$3 check=$4 directory variant complete built
  need_root
  directory=$cache/packages/$(checkout_hash)
  complete=$directory/complete
  mkdir -p "$directory"
  touch "$directory"
  exec {package_lock}>"$directory/lock"
  flock "$package_lock"
  package_complete "$complete" "$check"
  if [[ -z $version$pkgrel$edit ]]; then
    built_package "$complete"
  else
    variant=$directory/variants/$(printf '%s\0' "$version" "$pkgrel" "$edit" | sha256sum | cut -c 1-16)
    if [[ ! -e $variant.done ]]; then
      package_variant "$complete" "$variant" "$version" "$pkgrel" "$edit"
      built=$(built_package "$variant")
      find "$variant" -mindepth 1 -maxdepth 1 ! -path "$built" -exec rm -rf {} +
      touch "$variant.done"
    fi
    built_package "$variant"
  fi
  exec {package_lock}>&-
}
