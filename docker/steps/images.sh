# shellcheck shell=bash
# What every recipe shares: is an image up to date, build it, push it, and remember size and time for the table.

readonly content_label=io.basmalin.content
table=()

# The hash of a recipe: of the files and words that go in, so that the same inputs are never built twice.
content_of() { sha256sum | cut -c1-16; }
files_of() { (cd "$repo" && for path in "$@"; do find "${path#"$repo"/}" -type f -not -path '*/bin/*' -not -path '*/obj/*' -print0; done | LC_ALL=C sort -z | xargs -0 sha256sum); }

image_ref() { printf '%s/basmalin/%s' "$registry" "$1"; }

up_to_date() {
  [[ $rebuild == no ]] || return 1
  [[ $(d image inspect --format "{{index .Config.Labels \"$content_label\"}}" "$1" 2>/dev/null) == "$2" ]]
}

# image NAME:TAG CONTENT RECIPE [ARGUMENT...]: runs `RECIPE REF CONTENT ARGUMENT...` unless the image is there, then pushes it.
image() {
  local name=$1 content=$2 recipe=$3 ref log started took=- pushed=-
  shift 3
  ref=$(image_ref "$name")
  log=$work/build-${name//[:\/]/-}.log
  if ! up_to_date "$ref" "$content"; then
    say "building $name"
    started=$(date +%s%N)
    "$recipe" "$ref" "$content" "$@" >"$log" 2>&1 || { tail -n 25 "$log" >&2; die "building $name failed (whole log: $log)"; }
    took=$(elapsed_since "$started")
  fi
  if ! pushed_already "$name" "$ref"; then
    started=$(date +%s%N)
    d push --quiet "$ref" >"$log.push" 2>&1 || { tail -n 5 "$log.push" >&2; die "pushing $ref failed"; }
    pushed=$(elapsed_since "$started")
  fi
  table+=("$ref|$(d image inspect --format '{{.Size}}' "$ref")|$took|$pushed")
}

elapsed_since() { local ms=$((($(date +%s%N) - $1) / 1000000)); printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100)); }

# The registry's manifest names the digest of the image's configuration, which is the engine's image id.
pushed_already() {
  local id
  id=$(d image inspect --format '{{.Id}}' "$2")
  registry_get "/v2/basmalin/${1%:*}/manifests/${1##*:}" 2>/dev/null | grep -q "$id"
}

build() {
  local ref=$1 content=$2
  shift 2
  d build --network "$build_network" --label "$content_label=$content" -t "$ref" "$@"
}

print_table() {
  local row ref size built pushed
  printf '\n%-58s %9s %9s %9s\n' image size built pushed
  for row in "${table[@]}"; do
    IFS='|' read -r ref size built pushed <<<"$row"
    printf '%-58s %6d MB %9s %9s\n' "$ref" $((size / 1000000)) "$built" "$pushed"
  done
  printf '%s\n' '(- : nothing to do)'
}
