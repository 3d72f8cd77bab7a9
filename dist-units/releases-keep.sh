# shellcheck shell=sh disable=SC2034,SC2154 # sourced by releases.sh; they share their variables
# keep: before pacman replaces the installed release, a package of it is laid aside: the very file from pacman's cache
# where it is there, else made again from pacman's database and from what is installed. Whatever goes wrong here is
# said, and stops no transaction.

keep() {
    old=$(installed_release)
    [ -n "$old" ] || return 0
    if ! make_state; then
        say "$old is not kept for rollback: $state cannot be written"
        return 0
    fi
    # What an interrupted run left.
    rm -f "$state"/.new.*
    echo "$old" >"$state/pending" || say "a power cut before the new release has answered will go unnoticed: $state is full?"
    if known_bad "$old" && ! answers_now "$old"; then
        say "$old is not kept for rollback: it did not serve when it was installed, and it does not now"
        return 0
    fi
    # What a rollback of the coming release goes back to, whether or not the package can be kept.
    rm -f "$state/replaced"
    echo "$old" >"$state/replaced"
    kept=$state/$(package_file "$old")
    if [ -e "$kept" ] && [ "$(package_build "$kept")" = "$(installed_build "$old")" ]; then
        # The newest by time is what was installed last.
        touch "$kept"
    elif problem=$(keep_new "$old" "$kept" 2>&1); then
        say "$old is kept for rollback${problem:+ ($problem)}"
    else
        rm -f "$state"/.new.*
        free=$(df --output=avail --human-readable "$state" | tail -n 1)
        say "$old is not kept for rollback: ${problem:-unknown error} ($state has${free} free)"
        return 0
    fi
    drop_oldest
}

# Root's alone: what is in it will be installed.
make_state() {
    mkdir -p "$state" && chmod 0700 "$state"
}

package_file() {
    echo "$package-$1-$(description "$1" ARCH).pkg.tar.zst"
}

# description VERSION FIELD: the lines of one field of pacman's desc file.
description() {
    awk -v field="%$2%" '$0 == field { on = 1; next } $0 == "" { on = 0 } on' "$local_database/$package-$1/desc"
}

# Under another name until it is complete and on the disk.
keep_new() {
    new=$state/.new.$$.pkg.tar.zst
    umask 077
    if cached=$(cached_package "$1"); then
        cp "$cached" "$new" || return
        # pacman checks a signature where there is one, pacman.conf(5) LocalFileSigLevel.
        rm -f "$2.sig"
        [ ! -e "$cached.sig" ] || cp "$cached.sig" "$2.sig" || return
    else
        rm -f "$2.sig"
        make_package "$1" "$new" || return
    fi
    sync "$new" && mv "$new" "$2"
}

# The file in pacman's cache, if it is the same build as the installed one.
cached_package() {
    build=$(installed_build "$1")
    for cache in $(pacman-conf CacheDir 2>/dev/null); do
        for file in "${cache%/}/$package-$1"-*.pkg.tar.*; do
            case $file in *.sig | *.part) continue ;; esac
            if [ -e "$file" ] && [ "$(package_build "$file")" = "$build" ]; then
                echo "$file"
                return
            fi
        done
    done
    return 1
}

# make_package VERSION FILE: prints what is not as it was installed.
make_package() {
    entry=$local_database/$package-$1
    spec=$state/.new.$$.mtree
    bsdcat "$entry/mtree" >"$spec.installed" || return
    altered=$(altered_files "$spec.installed")
    package_info "$1" >"$state/.new.$$.info" || return
    package_spec "$1" "$altered" <"$spec.installed" >"$spec" || return
    # An mtree file is also a recipe: bsdtar takes names, modes, owners and times from it, and contents from the disk.
    # /usr/share/factory has the untouched copies of what an admin may edit.
    # shellcheck disable=SC2086 # one pattern a word
    (cd / && bsdtar --zstd --no-fflags -s ',^\./,,' -cf "$2" "@$spec") || return
    rm -f "$spec" "$spec.installed" "$state/.new.$$.info"
    # A full disk may show only when the file is read again.
    [ "$(package_build "$2")" = "$(installed_build "$1")" ] && bsdtar -tf "$2" >/dev/null || return
    unlike=$(echo "$altered" | sed -n 's/ altered$//p' | tr '\n' ' ')
    gone=$(echo "$altered" | sed -n 's/ missing$//p' | tr '\n' ' ')
    [ -z "$unlike" ] || printf 'with /%sas changed on this host' "$unlike"
    [ -z "$gone" ] || printf '%swithout /%swhich is gone from this host' "${unlike:+, }" "$gone"
}

# For each file that is not as its digest says: its path, and where to take it from: "factory", "altered", "missing".
altered_files() {
    awk '
        /^\.\// {
            digest = ""
            for (i = 2; i <= NF; i++) if ($i ~ /^sha256digest=/) digest = substr($i, 14)
            path = substr($1, 3)
            if (digest != "" && path !~ /^\.[A-Z]+$/) print digest "  " path
        }' "$1" >"$state/.new.$$.digests" || return
    (cd / && sha256sum --check --quiet "$state/.new.$$.digests" 2>/dev/null) | sed -n 's/: FAILED.*$//p' |
        while read -r path; do
            digest=$(sed -n "s|^\\([0-9a-f]*\\)  $path\$|\\1|p" "$state/.new.$$.digests")
            if [ "$(sha256sum 2>/dev/null <"/usr/share/factory/$path" | cut -d ' ' -f 1)" = "$digest" ]; then
                echo "$path factory"
            elif [ -f "/$path" ]; then
                echo "$path altered"
            else
                echo "$path missing"
            fi
        done
    rm -f "$state/.new.$$.digests"
}

# package_spec VERSION ALTERED: turns the list of what is installed into the recipe of its package. Size and digest go,
# as libarchive would cut a file to that size; .BUILDINFO goes, as pacman keeps no copy and reads none.
package_spec() {
    awk -v altered="$2" -v entry="$local_database/$package-$1" -v info="$state/.new.$$.info" '
        BEGIN {
            count = split(altered, lines, "\n")
            for (i = 1; i <= count; i++) { split(lines[i], words, " "); from[words[1]] = words[2] }
        }
        /^\/set/ { print $0 " uname=root gname=root"; next }
        /^\.\// {
            path = substr($1, 3)
            if (path == ".BUILDINFO" || from[path] == "missing") next
            line = $1
            for (i = 2; i <= NF; i++) if ($i !~ /^(size|sha256digest|md5digest)=/) line = line " " $i
            for (i = 2; i <= NF; i++) if (path == ".PKGINFO" && $i ~ /^time=/) time = $i
            if (path == ".PKGINFO") line = line " contents=" info
            if (path == ".INSTALL") line = line " contents=" entry "/install"
            if (path == ".CHANGELOG") line = line " contents=" entry "/changelog"
            if (from[path] == "factory") line = line " contents=/usr/share/factory/" path
            print line
            if (path == ".PKGINFO") print "./.MTREE mode=644 type=file " time " contents=" entry "/mtree"
            next
        }
        { print }'
}

# .PKGINFO from desc and files, in the order of makepkg. What it does not install by, such as makedepend, pacman keeps no
# record of.
package_info() {
    echo '# Made again from what pacman knows of the installed release'
    for pair in NAME=pkgname BASE=pkgbase XDATA=xdata VERSION=pkgver DESC=pkgdesc URL=url BUILDDATE=builddate \
        PACKAGER=packager SIZE=size ARCH=arch LICENSE=license REPLACES=replaces GROUPS=group CONFLICTS=conflict \
        PROVIDES=provides; do
        description "$1" "${pair%=*}" | sed "s/^/${pair#*=} = /"
    done
    awk -F '\t' '$0 == "%BACKUP%" { on = 1; next } $0 == "" { on = 0 } on { print "backup = " $1 }' \
        "$local_database/$package-$1/files"
    description "$1" DEPENDS | sed 's/^/depend = /'
    description "$1" OPTDEPENDS | sed 's/^/optdepend = /'
}

# The newest RELEASES_KEEP stay.
drop_oldest() {
    most=$(setting RELEASES_KEEP 3)
    case $most in
    '' | *[!0-9]* | 0*)
        say "RELEASES_KEEP in $env_file: expected a whole number from 1 to 100, got '$most'; 3 are kept"
        most=3
        ;;
    esac
    kept_packages | tail -n +"$((most + 1))" | while read -r file; do
        rm -f "$file" "$file.sig"
    done
}

# Newest first. Their names are pacman's, without spaces.
kept_packages() {
    # shellcheck disable=SC2012
    ls -t "$state/$package"-*.pkg.tar.zst 2>/dev/null
}
