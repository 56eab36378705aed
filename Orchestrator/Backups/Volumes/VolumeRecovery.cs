using Orchestrator.Backups.Keeping;

namespace Orchestrator.Backups.Volumes;

/// <summary>How a volume is restored without this program: a script for a shell with age, zstd and GNU tar, to lie beside the recovery card.</summary>
public static class VolumeRecovery
{
    public const string ScriptName = "restore-volume.sh";

    internal static RecoverySection Section(BackupPart part) => new(
        $"The files of {part.Service}",
        string.Join('\n', part.Facts.Where(fact => fact.Key.StartsWith("mount.", StringComparison.Ordinal)).Select(mount => $"""
               {mount.Value}: as root, into an empty directory, with the directory above STACK/ as STORE:
               sh STACK/{ScriptName} STORE INDEX KEYFILE TARGET
               INDEX is the key in the set's manifest that ends in /volume-{mount.Key["mount.".Length..]}.index.zst.age; of the newest set when this
               was written: {part.Objects.FirstOrDefault(item => item.Key.Contains($"/volume-{mount.Key["mount.".Length..]}.index", StringComparison.Ordinal))?.Key}
            """)))
    {
        Scripts = [new(ScriptName, Script + "\n")],
    };

    /// <summary>Called as <c>sh restore-volume.sh STORE INDEX KEYFILE TARGET</c>, as root: <c>INDEX</c> is the key of the volume's index within the store's directory.</summary>
    public const string Script =
        """
        #!/bin/sh
        # Restores a volume from its index and packs into an empty directory.
        # Needs: age, zstd, GNU tar and coreutils; setfattr (package attr) where files have extended attributes. Run it as root.
        # Usage: sh restore-volume.sh STORE INDEX KEYFILE TARGET
        set -eu
        store=$1 index=$2 key=$3 target=$4
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        tab=$(printf '\t')
        open() { age -d -i "$key" "$1" | zstd -dc; }
        name() { decoded=$(printf '%b.' "$1"); decoded=${decoded%.}; }
        finish() {
            chown -h "$uid:$gid" "$1"
            [ "$kind" = l ] || chmod "$mode" "$1"
            if [ "$attributes" != - ]; then
                printf '%s\n' "$attributes" | tr ',' '\n' | while IFS=: read -r attribute value; do
                    setfattr -n "$(printf '%b' "$attribute")" -v "0s$value" "$1"
                done
            fi
            touch -h -d "@$mtime" "$1"
        }
        each() { while IFS=$tab read -r kind mode uid gid mtime size hash place path link attributes rest; do "$1"; done < "$work/index"; }

        directories() { if [ "$kind" = d ] && [ "$path" != - ]; then name "$path"; mkdir -p "$target/$decoded"; fi; }
        empties() { if [ "$kind" = f ] && [ "${place%%/*}" = -1 ]; then name "$path"; : > "$target/$decoded"; finish "$target/$decoded"; fi; }
        files() {
            if [ "$kind" = f ] && [ "${place%%/*}" = "$pack" ]; then
                name "$path"
                cp --sparse=always "$work/pack/${place#*/}" "$target/$decoded"
                finish "$target/$decoded"
            fi
        }
        links() {
            if [ "$kind" = h ]; then name "$link"; first=$decoded; name "$path"; ln "$target/$first" "$target/$decoded"; fi
            if [ "$kind" = l ]; then name "$link"; to=$decoded; name "$path"; ln -s "$to" "$target/$decoded"; finish "$target/$decoded"; fi
        }
        last() { if [ "$kind" = d ]; then if [ "$path" = - ]; then decoded=.; else name "$path"; fi; finish "$target/$decoded"; fi; }

        open "$store/$index" > "$work/index"
        each directories
        each empties
        grep "^P$tab" "$work/index" > "$work/packs" || true
        while IFS=$tab read -r mark pack packname packkey rest; do
            mkdir "$work/pack"
            open "$store/$packkey" | tar -xf - -C "$work/pack"
            each files
            rm -rf "$work/pack"
        done < "$work/packs"
        each links
        each last
        """;
}
