# shellcheck shell=bash
# Debian packages: installed only when missing, and the package lists are fetched only then.

package_lists_fetched=no

ensure_packages() {
  local package missing=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]} == 0)) && return 0
  command -v apt-get >/dev/null || die "needs the packages ${missing[*]}, and this is not a Debian-like machine: install them by hand"

  say "installing ${missing[*]}"
  if [[ $package_lists_fetched == no ]]; then
    as_root apt-get update -qq >"$work/apt.log" 2>&1 || { tail -n 5 "$work/apt.log" >&2; die "apt-get update failed (whole log: $work/apt.log)"; }
    package_lists_fetched=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$work/apt.log" 2>&1 ||
    { tail -n 15 "$work/apt.log" >&2; die "could not install ${missing[*]} (whole log: $work/apt.log)"; }
}
