#!/usr/bin/env bash
# Writes a root file system with the ASP.NET Core runtime and what it links to, and no shell, as a tar to standard output.
# The runtime is this machine's own: Debian has no package of it. No ICU: everything here runs globalization-invariant.
# usage: make.sh SUITE SOURCES_FILE DOTNET_ROOT VERSION
set -euo pipefail

export DOTNET_ROOT_OF_HOST=$3 DOTNET_VERSION_OF_HOST=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# variant=extract runs no maintainer scripts, so customize hooks do not run either; the extract hook does.
exec mmdebstrap --quiet --variant=extract \
  --include=base-files,netbase,tzdata,ca-certificates,libc6,libgcc-s1,libstdc++6,libssl3,zlib1g \
  --extract-hook="$here/tidy.sh" "$1" - "$2"
