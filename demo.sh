#!/usr/bin/env bash
# The tour: a real stack is started from its Compose file, replaced under load with no failed request, broken versions are refused or taken back,
# and it is all driven the way CI would drive it. Installs what is missing. Nothing comes from an image registry on the internet.
#
#   ./demo.sh          the tour, then the stack stays up until Ctrl-C
#   ./demo.sh --once   ends after the tour; the exit code is 0 only when everything was as it should be
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

once=no
for argument in "$@"; do
  case $argument in
    --once) once=yes ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown argument '$argument' (there is only --once)" >&2; exit 2 ;;
  esac
done

export BASMALIN_WORK=${BASMALIN_WORK:-$PWD/.work}
registry=${BASMALIN_REGISTRY:-localhost:5000}
edge=${DEMO_EDGE:-127.0.0.1:8080}
admin=${DEMO_ADMIN:-127.0.0.1:9180}
home=$BASMALIN_WORK/demo
bin=$BASMALIN_WORK/bin
export BASMALIN_SOCKET=$home/admin.sock
stack=garden
host=garden.localhost
daemon=
load=
sent=0 failed=0
problems=0

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' green=$'\033[32m' red=$'\033[31m' off=$'\033[0m'; else bold='' green='' red='' off=''; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$*" "$off"; }
good() { printf '%s   ✓ %s%s\n' "$green" "$*" "$off"; }
bad() { printf '%s   ✗ %s%s\n' "$red" "$*" "$off"; problems=$((problems + 1)); }
basmalin() { "$bin/agent/basmalin" "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): d=d[int(k)] if k.lstrip("-").isdigit() else d[k]
print(d)' "$1" "$2"; }
version_now() { curl -fsS -H "Host: $host" "http://$edge/version" -o /dev/null -D - | tr -d '\r' | sed -n 's/^[Xx]-[Gg]arden-[Vv]ersion: //p'; }
expect_version() { local now; now=$(version_now); if [ "$now" = "$1" ]; then good "users get $1"; else bad "users get '$now', expected $1"; fi; }

cleanup() {
  set +e
  [ -n "$load" ] && kill "$load" 2>/dev/null && wait "$load" 2>/dev/null
  if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; fi
  docker ps -aq --filter "label=basmalin.stack=$stack" | xargs -r docker rm -fv >/dev/null
  docker network ls -q --filter "label=basmalin.stack=$stack" | xargs -r docker network rm >/dev/null
  docker volume ls -q --filter "label=basmalin.stack=$stack" | xargs -r docker volume rm >/dev/null
}

start_load() { # RATE: users who do not wait for each other, until stop_load
  rm -f "$home/load.json"
  "$bin/bench/Orchestrator.Benchmarks" load --url "http://$edge" --host "$host" --rate "$1" --seconds 600 --report "$home/load.json" >"$home/load.log" 2>&1 &
  load=$!
}

stop_load() { # sets sent and failed
  kill -TERM "$load" 2>/dev/null || true
  wait "$load" || true
  load=
  sent=$(field "$home/load.json" sent) failed=$(field "$home/load.json" failed)
}

no_request_lost() {
  stop_load
  if [ "$failed" = 0 ] && [ "$sent" -gt 0 ]; then good "$sent requests meanwhile, 0 failed"; else bad "$failed of $sent requests failed"; tail -n 20 "$home/load.log"; fi
}

chapter "What is needed: engine, registry, images, the daemon"
docker/prepare.sh
for tool in curl python3 openssl; do
  command -v "$tool" >/dev/null || { sudo=; [ "$(id -u)" = 0 ] || sudo=sudo; $sudo apt-get update -qq; $sudo apt-get install -y -qq --no-install-recommends "$tool"; }
done
mkdir -p "$home"
dotnet publish Orchestrator.Agent -c Release -o "$bin/agent" -nologo -v quiet
dotnet build Orchestrator.Benchmarks -c Release -o "$bin/bench" -nologo -v quiet

trap cleanup EXIT
trap 'exit 130' INT TERM
if docker ps -aq --filter "label=basmalin.stack=$stack" | grep -q .; then
  echo "demo.sh: a stack '$stack' of an earlier run is here; it is removed first"
  cleanup
fi
rm -rf "$home/data"
cat >"$home/agent.yml" <<YAML
data: $home/data
edge: { http: ["$edge"] }
admin: { listen: "$admin", socket: $BASMALIN_SOCKET }
preflight: { disk_floor: 1GiB }
YAML
# Not by the function: what would be told to end is a shell that waits for the daemon, and the daemon would mend what is taken away.
"$bin/agent/basmalin" agent --config "$home/agent.yml" >"$home/daemon.log" 2>&1 &
daemon=$!
for _ in $(seq 100); do curl -fsS "http://$admin/readyz" >/dev/null 2>&1 && break; kill -0 "$daemon" 2>/dev/null || { tail -n 20 "$home/daemon.log"; exit 1; }; sleep 0.1; done
good "the daemon runs: status page http://$admin/, edge http://$edge/"

chapter "A Compose file is planned, then applied"
basmalin plan config/garden/compose.yml
basmalin apply config/garden/compose.yml
expect_version 1.0.0

chapter "A new version, under load"
start_load 80
basmalin deploy "$stack" --image "app=$registry/basmalin/garden:2.0.0"
expect_version 2.0.0
no_request_lost

chapter "A version whose smoke test fails, under load: refused, and nobody has seen it"
start_load 80
if basmalin deploy "$stack" --image "app=$registry/basmalin/garden:broken-smoke"; then bad "it was accepted"; else good "refused"; fi
expect_version 2.0.0
no_request_lost

chapter "A version that goes bad three seconds after its first user: taken back by itself"
start_load 80
if basmalin deploy "$stack" --image "app=$registry/basmalin/garden:broken-bake"; then bad "it was kept"; else good "taken back"; fi
expect_version 2.0.0
stop_load
good "$sent requests meanwhile; $failed were answered with an error by the bad version itself before it was taken back"

chapter "As CI does it: a signed webhook brings version 1.0.0"
start_load 80
basmalin webhook "$stack" --rotate --json >"$home/webhook.json"
secret=$(field "$home/webhook.json" secret)
body="{\"images\":{\"app\":\"$registry/basmalin/garden:1.0.0\"},\"version\":\"1.0.0\"}"
stamp=$(date +%s)
signature=$(printf '%s.%s' "$stamp" "$body" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)
curl -fsS "http://$edge/hooks/$stack" -H 'Content-Type: application/json' -H "X-BasMalin-Timestamp: $stamp" -H "X-BasMalin-Delivery: demo-$stamp" -H "X-BasMalin-Signature: sha256=$signature" -d "$body" >"$home/hook.json"
number=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["deployment"])' "$home/hook.json" 2>/dev/null || true)
echo "   deployment ${number:-?}: $(cat "$home/hook.json")"
for _ in $(seq 240); do
  basmalin history "$stack" --json >"$home/history.json"
  case $(field "$home/history.json" deployments.0.state) in queued | running) sleep 0.5 ;; *) break ;; esac
done
[ "$(field "$home/history.json" deployments.0.state)" = succeeded ] && good "deployed by webhook" || bad "the webhook's deployment ended as $(field "$home/history.json" deployments.0.state)"
expect_version 1.0.0
no_request_lost

chapter "The way back, under load: a swap"
start_load 80
basmalin rollback "$stack" --json >"$home/rollback.json"
python3 - "$home/rollback.json" <<'PY'
import datetime, json, sys
d = json.load(open(sys.argv[1]))
when = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
shift = next(step for step in d["steps"] if step["name"] == "shift")
swap = float(shift["detail"].rsplit(" in ", 1)[1].split()[0])
print(f'   rolled back in {(when(shift["startedAt"]) - when(d["createdAt"])).total_seconds() * 1000 + swap:.0f} ms from the request to the moved traffic ({shift["detail"]})')
PY
expect_version 2.0.0
no_request_lost

chapter "A backup is made, restored to prove it, and a table that was dropped comes back"
sql() { docker exec "$(docker ps -q --filter "label=basmalin.stack=$stack" --filter "label=basmalin.service=postgres" --filter "label=basmalin.kind=service")" psql -U garden -d garden -qAt -c "$1"; }
streaming() { sql "SELECT count(*) FROM pg_stat_replication WHERE application_name LIKE 'basmalin\\_%' AND state = 'streaming'"; }
for _ in $(seq 300); do [ "$(streaming)" = 1 ] && break; sleep 0.2; done
[ "$(streaming)" = 1 ] && good "the daemon receives the database's log as it is written" || bad "the database's log is not received"
plant() { sql "INSERT INTO gardens (id, owner, name, created_at, updated_at) SELECT gen_random_uuid(), 'demo', '$1 ' || g, now(), now() FROM generate_series(1, $2) g"; }
plant 'planted before the set' 1000
basmalin backup run "$stack" && good "a set of database, keys and files is in the store" || bad "there is no set"
basmalin drill "$stack" && good "it was restored into throw-away containers, and is what it was" || bad "the set did not pass"
plant 'planted after the set' 100
rows=$(sql "SELECT count(*) FROM gardens") print=$(sql "SELECT md5(string_agg(g::text, ',' ORDER BY id)) FROM gardens g")
moment=$(sql "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
sql "SET client_min_messages = warning; DROP TABLE gardens CASCADE"
good "somebody drops the table with $rows gardens, of which 100 came after the set; the second before was $moment"
basmalin restore "$stack" --to "$moment" --preview || bad "there is no preview"
for _ in $(seq 20); do # the log of the last seconds may still be on its way into the store
  begun=$(date +%s%N)
  basmalin restore "$stack" --to "$moment" --yes >"$home/restore.txt" 2>&1 && break
  grep -q 'lies beyond' "$home/restore.txt" || break
  sleep 1
done
took=$((($(date +%s%N) - begun) / 1000000))
cat "$home/restore.txt"
if [ "$(sql "SELECT count(*) FROM gardens")" = "$rows" ] && [ "$(sql "SELECT md5(string_agg(g::text, ',' ORDER BY id)) FROM gardens g")" = "$print" ]; then
  good "all $rows gardens are back, every row as it was; from the order to the application on the restored data: $((took / 1000)).$((took % 1000 / 100)) s"
else
  bad "the gardens are not what they were"
fi
basmalin backup list "$stack"

chapter "What there is now"
basmalin status "$stack"
basmalin history "$stack"

if [ "$problems" != 0 ]; then
  printf '\n%s%d things were not as they should be%s; the daemon'"'"'s log: %s\n' "$red" "$problems" "$off" "$home/daemon.log"
  exit 1
fi
good "everything was as it should be"
[ "$once" = yes ] && exit 0

basmalin token create demo-page --scope admin --json >"$home/token.json" 2>/dev/null || true
printf '\nStatus page: http://%s/   token: %s\nApplication: curl -H "Host: %s" http://%s/api/gardens\nCtrl-C ends the demo and takes everything away.\n' \
  "$admin" "$(field "$home/token.json" token 2>/dev/null || echo '(basmalin token create NAME --scope admin)')" "$host" "$edge"
wait "$daemon"
