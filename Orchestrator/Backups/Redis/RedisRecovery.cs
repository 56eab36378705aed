using Orchestrator.Backups.Keeping;

namespace Orchestrator.Backups.Redis;

/// <summary>How a Redis is restored without this program: to its set, or to a second of the commands that were received since.</summary>
public static class RedisRecovery
{
    public const string ScriptName = "restore-redis.sh";

    /// <summary>Called as <c>bash restore-redis.sh KEYFILE SETID SERVICE TARGET [TIME]</c>.</summary>
    public const string Script =
        """
        #!/usr/bin/env bash
        # Lays the data of a Redis out in an empty directory, so that Redis of the same version loads it when it is started there.
        # Needs: age, zstd, coreutils and awk. Run it as root, so that the files belong to whom they belonged to.
        #   bash restore-redis.sh KEYFILE SETID SERVICE TARGET           to the moment of the set
        #   bash restore-redis.sh KEYFILE SETID SERVICE TARGET latest    to the end of what was received after it
        #   bash restore-redis.sh KEYFILE SETID SERVICE TARGET TIME      to a second such as '2026-11-25 13:30:00+00': nothing of it or later is there
        set -euo pipefail
        export LC_ALL=C
        here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
        if [ $# -lt 4 ]; then sed -n '2,7p' "${BASH_SOURCE[0]}"; exit 2; fi
        key=$1 set=$2 service=$3 target=$4 to=${5:-} kind=redis

        """ + RecoveryShell.Reading + """
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        mkdir -p -m 700 "$target"
        if [ -n "$(ls -A "$target")" ]; then echo "$target is not empty" >&2; exit 1; fi
        stream=$here/streams/$service/redis
        taken=$(fact taken) until=
        case $to in ''|latest) ;; *) until=$(date -d "$to" +%s) ;; esac

        # Of a slice: from which byte to which it is wanted, the offset that is reached, its last time, and whether the wanted second has come. Commands are
        # stepped over by their lengths, so that no value is taken for anything else; none of its bytes goes through awk.
        wanted() {
          tr '\000' '.' < "$1" | awk -v offset="$2" -v at="$3" -v until="$until" '
            function command(size) {
              offset += size
              if (offset <= at) return
              if (first < 0) first = begin
              if (name == "MULTI") { inside = 1; transaction = begin; before = at }
              at = offset
              if (name == "EXEC") inside = 0
              last = here
            }
            BEGIN { first = -1; last = 0; stamp = 0; stopped = 0 }
            { line = length($0) + 1; start = here; here += line }
            left > 0 { left -= line; if (arguments == 1 && name == "") name = toupper(substr($0, 1, length($0) - 1)); if (left == 0 && --open == 0) command(here - begin); next }
            /^#TS:/ { second = substr($0, 5) + 0; if (until != "" && second >= until + 0) { stopped = 1; exit } stamp = second; if (offset >= at && first >= 0) last = here; next }
            /^#OFFSET:/ { offset = substr($0, 9) + 0; if (offset > at) at = offset; if (first >= 0) last = here; next }
            /^\*/ { begin = start; open = substr($0, 2) + 0; arguments = 0; name = ""; if (open == 0) command(here - begin); next }
            /^\$/ { arguments++; left = substr($0, 2) + 2; next }
            END {
              if (inside) { last = transaction; at = before }
              if (first < 0) first = last
              printf "%.0f %.0f %.0f %.0f %d\n", first, last, at, stamp, stopped
            }'
        }

        # The copy to begin with: the set's own, or a newer one of the stream that is not too new.
        history=$(fact replid) at=$(fact offset) base= based=0
        if [ -n "$history" ] && [ "$taken" -le "${until:-$taken}" ]; then based=$taken; fi
        later=
        for copy in "$stream"/*/*-at-*.rdb.zst.age; do
          [ -n "$to" ] && [ -e "$copy" ] || continue
          name=$(basename "$copy" .rdb.zst.age)
          if [ -n "$until" ] && [ "${name#*-at-}" -gt "$until" ]; then continue; fi
          if [ "${name#*-at-}" -gt "$based" ]; then
            base=$copy based=${name#*-at-} at=$((10#${name%%-*})) history=$(basename "$(dirname "$copy")")
          fi
        done
        for copy in "$stream"/*/*-at-*.rdb.zst.age; do
          [ -e "$copy" ] || continue
          name=$(basename "$copy" .rdb.zst.age)
          if [ "${name#*-at-}" -gt "$based" ]; then later=${name#*-at-}; fi
        done
        if [ -n "$until" ] && [ "$based" -eq 0 ]; then echo "No copy that can be continued is as old as $to: take an older set, or the set as it is." >&2; exit 1; fi

        # What was received behind it, slice by slice, each the one that reaches furthest.
        commands=$work/commands stamp=$based stopped=0
        : > "$commands"
        while [ -n "$to" ] && [ "$based" -gt 0 ] && [ "$stopped" = 0 ]; do
          best= end=$at
          for slice in "$stream/$history"/*.aof.zst.age; do
            [ -e "$slice" ] || continue
            name=$(basename "$slice" .aof.zst.age)
            if [ $((10#${name%-*})) -le "$at" ] && [ $((10#${name#*-})) -gt "$end" ]; then best=$slice end=$((10#${name#*-})) start=$((10#${name%-*})); fi
          done
          if [ -n "$best" ]; then
            age -d -i "$key" "$best" | zstd -dc > "$work/slice"
            read -r first last at seen stopped < <(wanted "$work/slice" "$start" "$at")
            [ "$seen" -gt "$stamp" ] && stamp=$seen
            tail -c "+$((first + 1))" "$work/slice" | { head -c $((last - first)); cat > /dev/null; } >> "$commands"
            [ "$stopped" = 1 ] || [ "$at" -eq "$end" ] || { echo "$best ends at $at" >&2; exit 1; }
            continue
          fi
          next=
          for name in "$stream"/*/"$(printf %020d "$at")-from-$history.zst.age"; do if [ -e "$name" ]; then next=$(basename "$(dirname "$name")"); fi; done
          [ -n "$next" ] || break
          history=$next
        done
        if [ "$stopped" = 0 ] && [ -n "$until" ] && [ -n "$later" ] && [ "$until" -gt "$stamp" ]; then
          echo "Nothing was received between $(date -u -d "@$stamp") and $(date -u -d "@$later"): the state of $to is not known." >&2; exit 1
        fi
        if [ -z "$(fact replid)" ] && [ "$to" = latest ] && [ "$stamp" -lt "$taken" ]; then
          echo "Redis saved the set itself, and nothing newer was received: this is the set." >&2
          to= base=
        fi

        read -r hash _ path < <(object dump.rdb)
        if [ -n "$base" ]; then age -d -i "$key" "$base" | zstd -dc > "$work/base"; else
          open "$path" > "$work/base"
          echo "$hash  $work/base" | sha256sum --quiet -c || { echo "$path is not what was backed up" >&2; exit 1; }
        fi

        version=$(fact version) files=$(fact appendfilename) directory=$target/$(fact appenddirname)
        if [ -z "$to" ] && [ "$(fact appendonly)" != yes ]; then
          cp "$work/base" "$target/$(fact dbfilename)"
        elif [ "${version%%.*}" -lt 7 ]; then
          cat "$work/base" "$commands" > "$target/$files"
        else
          mkdir -m 700 "$directory"
          cp "$work/base" "$directory/$files.1.base.rdb"
          cp "$commands" "$directory/$files.1.incr.aof"
          printf 'file %s.1.base.rdb seq 1 type b\nfile %s.1.incr.aof seq 1 type i\n' "$files" "$files" > "$directory/$files.manifest"
        fi
        if [ -n "$(fact owner)" ]; then chown -R "$(fact owner)" "$target"; fi
        echo "$service of $set is in $target. Start Redis $version on it."
        if [ -n "$to" ] && [ "$(fact appendonly)" != yes ]; then
          echo "It is an append-only file, which the service does not keep: start Redis once with --appendonly yes, say SAVE, stop it, and remove $directory."
        fi

        """;

    internal static RecoverySection Section(BackupPart part) => new(
        $"{part.Service} (Redis {part.Facts.GetValueOrDefault("version", "")})",
        $"""
           As root, into an empty directory that becomes Redis's data directory ({part.Facts.GetValueOrDefault("dir", "/data")} in the container):
           bash STACK/{ScriptName} KEYFILE SETID {part.Service} TARGET           the set itself
           bash STACK/{ScriptName} KEYFILE SETID {part.Service} TARGET latest    and all that was received after it
           bash STACK/{ScriptName} KEYFILE SETID {part.Service} TARGET TIME      up to a second: '2026-11-25 13:30:00+00'
           Then start Redis of the same version on it, with the image {part.Facts.GetValueOrDefault("image", "")}. Where the service writes an
           append-only file it is one that is laid down, since Redis passes over a dump.rdb then.
        """)
    {
        Scripts = [new(ScriptName, Script)],
    };
}
