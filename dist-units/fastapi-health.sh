#!/bin/sh
# fastapi-health(8). Releases are handled without the bundle and without node: they are what may be broken.
if [ "${1:-}" = releases ]; then
    shift
    exec /usr/lib/fastapi-health/releases "$@"
fi
exec /usr/bin/node /usr/lib/fastapi-health/index.js "$@"
