#!/bin/sh
# As in the official image: bare options go to redis-server, and root steps down to redis once it owns the data.
set -eu

case ${1-} in -* | *.conf) set -- redis-server "$@" ;; esac

if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    find /data \! -user redis -exec chown redis:redis '{}' +
    exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
  fi
  # A container's port is closed until it is published or networked, so protected mode would only refuse its own neighbours.
  set -- "$@" --protected-mode no
fi
exec "$@"
