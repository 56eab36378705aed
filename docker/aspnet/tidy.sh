#!/bin/sh
# Runs inside mmdebstrap on the extracted tree: users, certificates, the runtime; and out with what no process reads.
set -eu
root=$1

printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\napp:x:1654:1654::/home/app:/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\napp:x:1654:\n' > "$root/etc/group"
mkdir -p "$root/home/app" "$root/etc/ssl/certs" "$root/usr/bin" "$root/tmp"
chmod 1777 "$root/tmp"
chown 1654:1654 "$root/home/app"
cat "$root"/usr/share/ca-certificates/mozilla/*.crt > "$root/etc/ssl/certs/ca-certificates.crt"

for folder in doc man info locale lintian ca-certificates; do rm -rf "${root:?}/usr/share/$folder"; done
rm -rf "$root/var/lib/apt" "$root/var/cache/apt" "$root/usr/lib/$(uname -m)-linux-gnu/gconv"

dotnet=$root/usr/share/dotnet
mkdir -p "$dotnet/host/fxr"
cp "$DOTNET_ROOT_OF_HOST/dotnet" "$dotnet/"
cp -r "$DOTNET_ROOT_OF_HOST/host/fxr/$DOTNET_VERSION_OF_HOST" "$dotnet/host/fxr/"
for framework in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
  mkdir -p "$dotnet/shared/$framework"
  cp -r "$DOTNET_ROOT_OF_HOST/shared/$framework/$DOTNET_VERSION_OF_HOST" "$dotnet/shared/$framework/"
done
ln -s ../share/dotnet/dotnet "$root/usr/bin/dotnet"
