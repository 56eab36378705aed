#!/bin/bash
# The contract of the official image: initialize an empty PGDATA from POSTGRES_*, run /docker-entrypoint-initdb.d once, then serve.
set -euo pipefail

# NAME or NAME_FILE, never both.
from_file() {
  local name=$1 default=${2-} file_name=$1_FILE
  if [[ -n ${!name-} && -n ${!file_name-} ]]; then echo "postgres: set $name or $file_name, not both" >&2; exit 1; fi
  if [[ -n ${!file_name-} ]]; then export "$name=$(<"${!file_name}")"; else export "$name=${!name-$default}"; fi
  unset "$file_name"
}

initialize() {
  from_file POSTGRES_USER postgres
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [[ -z $POSTGRES_PASSWORD && $method != trust ]]; then
    echo "postgres: the data directory is empty and no password is given: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" >&2
    exit 1
  fi

  # Synced once at the end, not file by file. The password never touches the disk and is in no process's arguments.
  # shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS is a list of arguments by contract
  initdb --no-sync -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unused}") \
    --auth-local=trust --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8 $POSTGRES_INITDB_ARGS >/dev/null
  # 'all' is no database that is replicated: physical backups need a line of their own. Only roles that may replicate, and only from networks
  # that this container is on itself.
  printf '\nhost all all all %s\nhost replication all samenet %s\n' "$method" "$method" >>"$PGDATA/pg_hba.conf"

  pg_ctl -D "$PGDATA" -w -s -o "-c listen_addresses='' -c fsync=off" start
  if [[ $POSTGRES_DB != postgres ]]; then createdb -U "$POSTGRES_USER" --maintenance-db=postgres -- "$POSTGRES_DB"; fi
  run_scripts
  pg_ctl -D "$PGDATA" -m fast -w -s stop
  sync -f "$PGDATA"
  echo "postgres: initialized $PGDATA for database $POSTGRES_DB"
}

run_scripts() {
  local psql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet -U "$POSTGRES_USER" -d "$POSTGRES_DB") script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      # shellcheck disable=SC1090 # whatever the image's user put there
      *.sh) if [[ -x $script ]]; then "$script"; else . "$script"; fi ;;
      *.sql) "${psql[@]}" -f "$script" ;;
      *.sql.gz) gunzip -c "$script" | "${psql[@]}" ;;
    esac
  done
}

[[ ${1-} == -* || $# -eq 0 ]] && set -- postgres "$@"
if [[ $1 == postgres ]]; then
  if [[ $(id -u) == 0 ]]; then
    mkdir -p "$PGDATA" && chmod 700 "$PGDATA"
    find "$PGDATA" \! -user postgres -exec chown postgres:postgres '{}' +
    if [[ -d /var/run/postgresql ]]; then chown postgres:postgres /var/run/postgresql; fi
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  if [[ ! -s $PGDATA/PG_VERSION ]]; then initialize; fi
  unset POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE
  set -- postgres -D "$PGDATA" -c listen_addresses='*' "${@:2}"
fi
exec "$@"
