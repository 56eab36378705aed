# shellcheck shell=bash
# The registry on loopback. Whatever answers there already is used as it is.

# Sends one GET and prints the whole answer; needs nothing but bash.
registry_get() {
  local path=$1 host=${registry%:*} port=${registry##*:} connection
  # `localhost` may resolve to ::1 first, where nobody listens.
  [[ $host == localhost ]] && host=127.0.0.1
  { exec {connection}<>"/dev/tcp/$host/$port"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\nAccept: application/vnd.docker.distribution.manifest.v2+json\r\n\r\n' "$path" "$registry" >&"$connection"
  timeout 10 cat <&"$connection" || true
  exec {connection}>&-
}

registry_answers() { [[ $(registry_get /v2/ 2>/dev/null | head -n 1) =~ \ (200|401)\  ]]; }

ensure_registry() {
  local host=${registry%:*} port=${registry##*:}
  if registry_answers; then
    say "registry: $registry answers"
    return 0
  fi
  [[ $host == localhost || $host == 127.0.0.1 ]] || die "no registry answers at $registry, and only one on loopback can be started from here"

  ensure_packages docker-registry
  if ! registry_answers; then
    local data=$work/registry log=$work/registry.log
    mkdir -p "$data"
    cat >"$work/registry.yml" <<CONFIG
version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: $data }
  delete: { enabled: true }
http: { addr: 127.0.0.1:$port }
CONFIG
    say "registry: starting docker-registry on 127.0.0.1:$port (data: $data, log: $log)"
    setsid docker-registry serve "$work/registry.yml" >"$log" 2>&1 </dev/null &
    disown
    local waited=0
    until registry_answers; do
      ((++waited > 50)) && { tail -n 20 "$log" >&2; die "the registry did not answer at $registry within 10 s; is the port taken?"; }
      sleep 0.2
    done
  fi
  say "registry: $registry started"
}
