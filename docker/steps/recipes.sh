# shellcheck shell=bash
# The images, in the order in which they stand on each other.

readonly suite=bookworm
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg

prepare_images() {
  mkdir -p "$work/contexts"
  choose_bases

  local base_content aspnet_content
  if [[ $bases_from == public ]]; then
    base_content=$(printf 'public %s' "$public_base" | content_of)
    aspnet_content=$(printf 'public %s' "$public_aspnet" | content_of)
    image base:$suite "$base_content" relabel_public "$public_base"
    image aspnet:10.0 "$aspnet_content" relabel_public "$public_aspnet"
  else
    base_content=$({ files_of "$repo/docker/base"; echo "$suite"; } | content_of)
    image base:$suite "$base_content" build_base
    find_dotnet
    aspnet_content=$({ files_of "$repo/docker/aspnet"; echo "$suite $dotnet_version"; } | content_of)
    image aspnet:10.0 "$aspnet_content" build_aspnet
  fi

  local folder
  for folder in postgres:15 redis:7 systemd:12; do
    image "$folder" "$({ files_of "$repo/docker/${folder%:*}"; echo "$base_content"; } | content_of)" build_service "${folder%:*}"
  done
  garden_images "$aspnet_content"
}

readonly public_base=debian:bookworm-slim
readonly public_aspnet=mcr.microsoft.com/dotnet/aspnet:10.0
readonly public_sdk=mcr.microsoft.com/dotnet/sdk:10.0

# An air-gapped machine is a real case: what cannot be pulled is built from Debian's packages.
choose_bases() {
  bases_from=$bases
  if [[ $bases == auto ]]; then
    if [[ -e $work/bases ]]; then bases_from=$(<"$work/bases")
    elif timeout 20 "${docker_command[@]}" pull --quiet "$public_base" >/dev/null 2>&1 && timeout 300 "${docker_command[@]}" pull --quiet "$public_aspnet" >/dev/null 2>&1; then
      bases_from=public
    else
      bases_from=debian
    fi
    # Asked once per machine: the answer decides what every later hash is made of.
    printf '%s' "$bases_from" >"$work/bases"
  fi
  say "bases: $([[ $bases_from == public ]] && echo "$public_base and $public_aspnet" || echo "built from Debian's packages")"
}

relabel_public() { printf 'FROM %s\n' "$3" | build "$1" "$2" -; }

# The mirrors that this machine uses itself, whatever format its apt sources have.
write_sources() {
  ensure_packages mmdebstrap debian-archive-keyring
  local uri codename main='' security=''
  while read -r uri codename; do
    case $codename in *-security) security=$uri ;; *-updates | *-backports) ;; *) main=$uri ;; esac
  done < <(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null)
  [[ -n $main ]] || die "this machine's apt sources name no Debian mirror to build the base image from: pull a base instead (BASMALIN_BASES=public)"
  printf 'Types: deb\nURIs: %s\nSuites: %s %s-updates\nComponents: main\nSigned-By: %s\n\nTypes: deb\nURIs: %s\nSuites: %s-security\nComponents: main\nSigned-By: %s\n' \
    "$main" $suite $suite $keyring "${security:-$main-security}" $suite $keyring >"$work/debian.sources"
}

build_base() {
  write_sources
  "$repo/docker/base/make.sh" "$suite" "$work/debian.sources" | d import -c "LABEL $content_label=$2" \
    -c 'ENV DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'CMD ["bash"]' - "$1"
}

find_dotnet() {
  command -v dotnet >/dev/null || die "the .NET SDK is needed to build GardenApp: no 'dotnet' on the path"
  dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
  dotnet_version=$(cd "$dotnet_root/shared/Microsoft.AspNetCore.App" && printf '%s\n' 10.* | sort -V | tail -n 1)
}

dotnet_runtime() { case $(uname -m) in aarch64) echo linux-arm64 ;; *) echo linux-x64 ;; esac; }

build_aspnet() {
  write_sources
  "$repo/docker/aspnet/make.sh" "$suite" "$work/debian.sources" "$dotnet_root" "$dotnet_version" | d import -c "LABEL $content_label=$2" \
    -c 'USER 1654' -c 'WORKDIR /app' -c 'ENV PATH=/usr/bin:/bin DOTNET_ROOT=/usr/share/dotnet DOTNET_RUNNING_IN_CONTAINER=true DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' - "$1"
}

build_service() { build "$1" "$2" --build-arg BASE="$(image_ref base:$suite)" "$repo/docker/$3"; }

garden_images() {
  local content tag environment
  content=$({ cd "$repo" && files_of GardenApp docker/garden/Dockerfile Directory.Build.props Directory.Packages.props global.json; echo "$1"; } | content_of)
  for tag in 1.0.0 2.0.0; do
    image "garden:$tag" "$(echo "$content $tag" | content_of)" build_garden "$content" "$tag"
  done
  while read -r tag environment; do
    [[ -z $tag || $tag == \#* ]] && continue
    image "garden:$tag" "$(echo "$content $tag $environment" | content_of)" build_broken "$tag" "$environment"
  done <"$repo/docker/garden/broken.txt"
}

# `set -e` does not hold in a recipe, because its caller asks whether it failed: each command that may fail says so.
# With registries the Dockerfile builds from source; without, it takes what `dotnet publish` makes here. Both end in the same image.
build_garden() {
  local ref=$1 content=$2 sources=$3 version=$4
  if [[ $bases_from == public ]]; then
    build "$ref" "$content" -f "$repo/docker/garden/Dockerfile" --target from-source --build-arg SDK="$public_sdk" \
      --build-arg RUNTIME="$(image_ref aspnet:10.0)" --build-arg VERSION="$version" "$repo"
    return
  fi
  local context=$work/contexts/garden
  if [[ ! -e $context/content || $(<"$context/content") != "$sources" ]]; then
    rm -rf "$context"
    mkdir -p "$context/data/uploads"
    # Compiled ahead of time, which saves every container a third of its start. Build output and lock file stay out of the
    # repository's own: the runtime identifier belongs to this machine, not to the project.
    dotnet publish "$repo/GardenApp" -c Release -r "$(dotnet_runtime)" --self-contained false -p:PublishReadyToRun=true -o "$context/app" \
      --artifacts-path "$work/publish" -p:NuGetLockFilePath="$work/publish/packages.lock.json" -p:RestoreLockedMode=false \
      --disable-build-servers -nologo -v quiet || return
    printf '%s' "$sources" >"$context/content"
    printf 'content\n' >"$context/.dockerignore"
  fi
  build "$ref" "$content" -f "$repo/docker/garden/Dockerfile" --target from-publish \
    --build-arg RUNTIME="$(image_ref aspnet:10.0)" --build-arg VERSION="$version" "$context"
}

# A broken version is the good one and a layer of environment variables: it differs in nothing else.
build_broken() {
  printf 'FROM %s\nENV GARDEN_VERSION=2.0.0-%s %s\n' "$(image_ref garden:2.0.0)" "$3" "$4" | build "$1" "$2" -
}
