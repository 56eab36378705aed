namespace Orchestrator.Backups.Keeping;

/// <summary>What the scripts beside the recovery card have in common: reading a manifest, and an object, with awk, age and zstd.</summary>
internal static class RecoveryShell
{
    /// <summary>
    /// Expects the variables <c>here</c> (the stack's directory), <c>key</c>, <c>set</c>, <c>service</c> and <c>kind</c>; checks the manifest against its hash and
    /// defines <c>fact NAME</c>, <c>object NAME</c> (its content's hash, or <c>-</c> where it has none, the hash of what is stored, and its key) and <c>open KEY</c>.
    /// </summary>
    public const string Reading =
        """"
        manifest=$here/sets/$set/manifest.json
        (cd "$here/sets/$set" && sha256sum --quiet -c manifest.json.sha256)

        ours='$2 == "service" { mine = $4 == service } $2 == "kind" { base = $4 == kind }'
        fact() { awk -F'"' -v service="$service" -v kind="$kind" -v name="$1" "$ours"' mine && base && $2 == name && !done { print $4; done = 1 }' "$manifest"; }
        object() { awk -F'"' -v service="$service" -v kind="$kind" -v name="/$1." "$ours $(cat <<'END'
        $2 == "key" { key = $4 } $2 == "plainHash" { plain = $4 == "" ? "-" : $4 } $2 == "storedHash" && index(key, "/" service name) { print plain, $4, key; exit }
        END
        )" "$manifest"; }
        open() { age -d -i "$key" "$here/../$1" | zstd -dc; }

        """";
}
