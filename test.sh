#!/usr/bin/env bash
# Builds everything with warnings as errors, checks the formatting, and runs every test on a real engine, a real registry, real PostgreSQL and
# Redis, a real authority for certificates, and a real browser. Installs what is missing. The last line is "N passed, N failed"; the exit code is 0
# only when nothing failed.
#
#   ./test.sh                      everything
#   ./test.sh --filter EXPRESSION  only those tests, e.g. --filter "FullyQualifiedName~Planning"
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=${BASMALIN_WORK:-$PWD/.work}
mkdir -p "$work"
started=$SECONDS
stacks="Engine Browser Agent Backups"     # the namespaces of the tests of whole stacks and of what is copied of them: about half of the time
alone="Systemd"                           # that of daemons that follow each other under load: a machine that is busy with something else would be tested with them

say() { printf '\n== %s (%d s)\n' "$*" "$((SECONDS - started))"; }
stopped() { printf '%s\n\n0 passed, 1 failed\n' "$1"; exit 1; }

say "engine, registry and images"
docker/prepare.sh || stopped "docker/prepare.sh failed"

if ! command -v chromium >/dev/null; then
  say "browser for the tests of the status page"
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >"$work/chromium.log" 2>&1 ||
    { tail -n 5 "$work/chromium.log"; stopped "chromium could not be installed"; }
fi

if ! command -v pebble >/dev/null; then
  say "authority for the tests of automatic certificates"
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pebble; } >"$work/pebble.log" 2>&1 ||
    { tail -n 5 "$work/pebble.log"; stopped "pebble could not be installed"; }
fi

if ! command -v age >/dev/null || ! command -v zstd >/dev/null; then
  say "the tools that read backups without us"
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends age zstd; } >"$work/age.log" 2>&1 ||
    { tail -n 5 "$work/age.log"; stopped "age and zstd could not be installed"; }
fi

if [ ! -e "$work/s3rver/node_modules/.bin/s3rver" ]; then
  say "a foreign S3 server for the tests of its store"
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  command -v npm >/dev/null || { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm; } >"$work/s3rver.log" 2>&1 ||
    { tail -n 5 "$work/s3rver.log"; stopped "npm could not be installed"; }
  npm install --prefix "$work/s3rver" --no-audit --no-fund s3rver@3.7.1 >"$work/s3rver.log" 2>&1 ||
    { tail -n 5 "$work/s3rver.log"; stopped "s3rver could not be installed"; }
fi

if ! command -v ip >/dev/null; then
  say "what makes a bridge for a second engine"
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iproute2; } >"$work/iproute2.log" 2>&1 ||
    { tail -n 5 "$work/iproute2.log"; stopped "iproute2 could not be installed"; }
fi

if ! command -v systemd-analyze >/dev/null; then
  say "what checks the units"
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd; } >"$work/systemd.log" 2>&1 ||
    { tail -n 5 "$work/systemd.log"; stopped "systemd could not be installed"; }
fi

say "build, warnings as errors"
dotnet build BasMalin.sln -c Release -nologo -v quiet || stopped "the build failed"

say "formatting"
dotnet format whitespace BasMalin.sln --no-restore --verify-no-changes || stopped "dotnet format whitespace found something"

# The test of ten thousand held requests has both ends of each in one process.
[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 20000 ] || ulimit -Hn 20000 || true

rm -rf "$work/results" "$work"/tests*.log
mkdir -p "$work/results"

# Most of the time of a test of a whole stack is waiting: two processes share the machine, each with the tests that the other has not.
part() { # NAME ARGUMENTS...
  local name=$1; shift
  artifacts/bin/Orchestrator.Tests/release/Orchestrator.Tests --no-ansi --results-directory "$work/results" --report-trx --report-trx-filename "$name.trx" "$@" >"$work/tests-$name.log" 2>&1
}
parts=(); pids=()
begin() { parts+=("$1"); part "$@" & pids+=($!); }
finish() { # says every minute how far they are
  while [ -n "$(jobs -rp)" ]; do
    for _ in {1..60}; do sleep 1; [ -n "$(jobs -rp)" ] || break; done
    for name in "${parts[@]}"; do
      state=$(grep -aoE '[0-9]+ completed, [0-9]+ failed' "$work/tests-$name.log" | tail -n 1) || true
      printf '%s: %s (%d s)\n' "$name" "${state:-starting}" "$((SECONDS - started))"
    done
  done
}
of() { sed 's/ /|/g; s/[^|]*/FullyQualifiedName~.Tests.&./g' <<<"$1"; }
without() { sed 's/ /\&/g; s/[^&]*/FullyQualifiedName!~.Tests.&./g' <<<"$1"; }
if [ $# -gt 0 ]; then
  say "tests"
  begin chosen "$@"
  finish
else
  say "the program as it is installed, once for all"
  dotnet publish Orchestrator.Agent -c Release -p:PublishProfile=SingleFile -p:RunAnalyzers=false -o "$work/program" -nologo -v quiet || stopped "the program could not be published"
  export BASMALIN_PROGRAM=$work/program/basmalin
  say "tests"
  begin stacks --filter "$(of "$stacks")"
  begin rest --filter "$(without "$stacks $alone")"
  finish
  begin alone --filter "$(of "$alone")"
  finish
fi

# The report says how many; a run that died before it wrote one counts as failed.
passed=0; failed=0
for i in "${!parts[@]}"; do
  name=${parts[$i]}; log=$work/tests-$name.log; code=0
  wait "${pids[$i]}" || code=$?
  count() { sed -n "s/.*<Counters.* $1=\"\([0-9]*\)\".*/\1/p" "$work/results/$name.trx" 2>/dev/null | head -n 1; }
  p=$(count passed); f=$(count failed); total=$(count total)
  if [ -z "$total" ]; then
    tail -n 40 "$log"
    printf 'the tests "%s" ended with code %d and wrote no report\n' "$name" "$code"
    failed=$((failed + 1))
    continue
  fi
  [ "$code" = 0 ] && [ "$f" = 0 ] || grep -a -A 80 -E '^failed ' "$log" | head -n 600 || true
  notrun=$((total - p - f))
  [ "$notrun" = 0 ] || { printf '%d tests of "%s" did not run; a test that does not run has failed\n' "$notrun" "$name"; f=$((f + notrun)); }
  [ "$code" = 0 ] || [ "$f" != 0 ] || f=1
  passed=$((passed + p)); failed=$((failed + f))
done
# Once more at the end, where they are not lost among all that was printed.
grep -ah -A 2 -E '^failed ' "$work"/tests-*.log | sed 's/^--$//' || true
printf '\nwhole logs: %s\n%d passed, %d failed\n' "$work/tests-*.log" "$passed" "$failed"
[ "$failed" = 0 ]
