#!/usr/bin/env bash
# Restores the files of one backup set. Needs age, zstd, sha256sum and awk.
#   bash restore.sh KEYFILE SETID TARGET      in the directory of the stack; without SETID: lists the sets
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -lt 3 ]; then
  echo "usage: bash restore.sh KEYFILE SETID TARGET; the sets here are:"
  for manifest in "$here"/sets/*/manifest.json; do basename "$(dirname "$manifest")"; done
  exit 2
fi
key=$1 set=$2 target=$3
(cd "$here/sets/$set" && sha256sum -c manifest.json.sha256)
awk -F'"' '$2 == "key" { key = $4 } $2 == "plainHash" { print $4, key }' "$here/sets/$set/manifest.json" |
  while read -r hash object; do
    name=${object#*/sets/*/} name=${name%.zst.age}
    mkdir -p "$(dirname "$target/$name")"
    age -d -i "$key" "$here/../$object" | zstd -dc -o "$target/$name" -f -q
    echo "$hash  $target/$name" | sha256sum -c
  done
echo "All files of $set are in $target and are what was backed up."
