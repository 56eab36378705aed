# shellcheck shell=bash
# The Docker engine: one that answers is used as it is and never stopped; else Debian's is installed and started.

docker_command=(docker)

# The legacy builder: BuildKit's own front end needs a plug-in that Debian 12 does not have.
d() { DOCKER_BUILDKIT=0 "${docker_command[@]}" "$@"; }

engine_answers() {
  command -v docker >/dev/null || return 1
  docker_command=(docker)
  docker info >/dev/null 2>&1 && return 0
  ((EUID == 0)) && return 1
  # A user outside the docker group reaches a running engine through sudo only.
  command -v sudo >/dev/null && sudo -n docker info >/dev/null 2>&1 && docker_command=(sudo DOCKER_BUILDKIT=0 docker)
}

# An engine that was killed leaves its pid files behind, and a new one refuses to start when the number is taken again or its owner not yet reaped.
remove_stale_pid_files() {
  local file pid
  for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    as_root test -e "$file" || continue
    pid=$(as_root cat "$file")
    grep -qsE '^Name:[[:space:]]+(dockerd|containerd)$' "/proc/$pid/status" && ! grep -qsE '^State:[[:space:]]+Z' "/proc/$pid/status" && continue
    as_root rm -f "$file"
  done
}

ensure_engine() {
  if engine_answers; then
    say "engine: $(d version --format '{{.Server.Version}} (API {{.Server.APIVersion}})') answers"
    return 0
  fi

  ensure_packages docker.io iptables iproute2 ca-certificates
  # The package starts the engine itself where systemd runs.
  if ! engine_answers; then
    local log=$work/dockerd.log
    say "engine: starting dockerd (log: $log)"
    if [[ -d /run/systemd/system ]]; then
      as_root systemctl start docker
    else
      remove_stale_pid_files
      as_root setsid dockerd >"$log" 2>&1 </dev/null &
      disown
    fi
    local waited=0
    until engine_answers; do
      ((++waited > 120)) && { tail -n 20 "$log" >&2 || true; die "the engine did not answer within 60 s"; }
      sleep 0.5
    done
  fi
  say "engine: $(d version --format '{{.Server.Version}} (API {{.Server.APIVersion}})') started"
}
