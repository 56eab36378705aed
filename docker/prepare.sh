#!/usr/bin/env bash
# Makes this machine ready to run BasMalin's demo and tests: a Docker engine, a registry on loopback, and the images.
# Each part is skipped when it is there already, so a second run takes seconds. See docker/README.md.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${BASMALIN_WORK:-$repo/.work}
registry=${BASMALIN_REGISTRY:-localhost:5000}
build_network=${BASMALIN_BUILD_NETWORK:-host}
bases=${BASMALIN_BASES:-auto}
readonly repo work registry build_network bases

what=all
rebuild=no

usage() {
  cat <<'USAGE'
usage: docker/prepare.sh [--what engine|registry|images|all] [--rebuild]

  --what     do only this part (default: all; a part does what it depends on first)
  --rebuild  build the images even when nothing changed, which brings Debian's security updates in

Environment:
  BASMALIN_WORK           where logs, registry data and build contexts go    (default: .work in the repository)
  BASMALIN_REGISTRY       registry to start, push to and pull from           (default: localhost:5000)
  BASMALIN_BASES          public: take debian and dotnet images from their registries; debian: build them from
                          Debian's packages; auto: public where they can be pulled (default: auto)
  BASMALIN_BUILD_NETWORK  network of the build containers                    (default: host)
USAGE
}

while (($# > 0)); do
  case $1 in
    --what) what=${2:?"--what needs engine, registry, images or all"}; shift 2 ;;
    --what=*) what=${1#*=}; shift ;;
    --rebuild) rebuild=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "prepare.sh: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
  esac
done
case $what in engine | registry | images | all) ;; *) echo "prepare.sh: unknown part '$what'" >&2; usage >&2; exit 2 ;; esac
case $bases in auto | public | debian) ;; *) echo "prepare.sh: BASMALIN_BASES must be auto, public or debian, not '$bases'" >&2; exit 2 ;; esac
readonly what rebuild

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf 'prepare.sh: %s\n' "$*" >&2; exit 1; }

as_root() {
  if ((EUID == 0)); then "$@"
  elif command -v sudo >/dev/null; then sudo -- "$@"
  else die "needs root to run '$1', and sudo is not installed"
  fi
}

# shellcheck source=docker/steps/packages.sh
source "$repo/docker/steps/packages.sh"
# shellcheck source=docker/steps/engine.sh
source "$repo/docker/steps/engine.sh"
# shellcheck source=docker/steps/registry.sh
source "$repo/docker/steps/registry.sh"
# shellcheck source=docker/steps/images.sh
source "$repo/docker/steps/images.sh"
# shellcheck source=docker/steps/recipes.sh
source "$repo/docker/steps/recipes.sh"

mkdir -p "$work"
ensure_engine
[[ $what == engine ]] && exit 0
ensure_registry
[[ $what == registry ]] && exit 0
prepare_images
print_table
