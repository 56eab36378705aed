#!/bin/sh
# Brings the third-party files of the status page, at fixed versions, from the npm registry that this machine is set up for.
#   vendor.sh          fetch, and write down what was fetched
#   vendor.sh --check  only compare what is here with what was written down
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
assets=$here/assets
[ "${1:-}" = --check ] && { cd "$assets" && exec sha256sum --check --quiet vendor.sha256; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# package, then pairs of: file in the package, name here
take() {
  package=$1; shift
  archive=$(cd "$work" && npm pack --silent "$package")
  rm -rf "$work/package"
  tar -xzf "$work/$archive" -C "$work"
  while [ $# -gt 0 ]; do
    install -m 644 "$work/package/$1" "$assets/$2"
    echo "$2" >> "$work/names"
    shift 2
  done
}

take uplot@1.6.32 dist/uPlot.iife.min.js uplot.js dist/uPlot.min.css uplot.css LICENSE uplot.LICENSE.txt
take @fontsource-variable/inter@5.3.0 files/inter-latin-wght-normal.woff2 inter.woff2 LICENSE inter.LICENSE.txt
cd "$assets"
sort "$work/names" | xargs sha256sum > vendor.sha256
cat vendor.sha256
