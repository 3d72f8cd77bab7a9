#!/bin/sh
# fastapi-health(8). Releases are handled without the bundle and without node: they are what may be broken.
if [ "${1:-}" = releases ]; then
    shift
    exec /usr/lib/fastapi-health/releases "$@"
fi
node=/usr/bin/node
if [ ! -x "$node" ]; then
    # What doctor would say of it, if anything but this shell could run.
    problem="$node is missing" mend='pacman -S nodejs'
    if [ -e "$node" ]; then
        problem="$node is not executable" mend="chmod 755 $node"
    fi
    if [ "${1:-}" = doctor ]; then
        printf 'fail     node  %s: the service cannot start, and nothing else could be looked at\n' "$problem"
        printf '         mend: %s\n1 fail, 0 warn, 0 ok, 0 skipped\n' "$mend"
    else
        printf 'fastapi-health: %s: the service cannot start; run: %s\n' "$problem" "$mend" >&2
    fi
    exit 1
fi
exec "$node" /usr/lib/fastapi-health/index.js "$@"
