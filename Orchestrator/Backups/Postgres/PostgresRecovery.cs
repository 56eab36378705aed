using System.Globalization;
using Orchestrator.Backups.Keeping;

namespace Orchestrator.Backups.Postgres;

/// <summary>How a database is restored without this program: to its set, or to a moment of the log that was received since.</summary>
public static class PostgresRecovery
{
    public const string ScriptName = "restore-postgres.sh";

    /// <summary>Called as <c>bash restore-postgres.sh KEYFILE SETID SERVICE TARGET [TIME]</c>, as root.</summary>
    public const string Script =
        """
        #!/usr/bin/env bash
        # Lays a PostgreSQL database out in an empty directory, so that PostgreSQL of the same major version recovers when it is started there.
        # Needs: age, zstd, GNU tar, coreutils and awk. Run it as root, so that files keep their owner.
        #   bash restore-postgres.sh KEYFILE SETID SERVICE TARGET           to the moment of the set
        #   bash restore-postgres.sh KEYFILE SETID SERVICE TARGET latest    to the end of what was received after it
        #   bash restore-postgres.sh KEYFILE SETID SERVICE TARGET TIME      to a time such as '2026-11-25 13:30:00+00'
        set -euo pipefail
        here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
        if [ $# -lt 4 ]; then sed -n '2,7p' "${BASH_SOURCE[0]}"; exit 2; fi
        key=$1 set=$2 service=$3 target=$4 to=${5:-} kind=postgres

        """ + RecoveryShell.Reading + """
        checked() {
          read -r hash stored path < <(object "$1")
          if [ "$hash" = - ]; then      # it came compressed: known by what is stored
            echo "$stored  $here/../$path" | sha256sum --quiet -c || { echo "$path is not what was backed up" >&2; exit 1; }
            open "$path" | { tar -x --numeric-owner -C "$2" && cat > /dev/null; }
            return
          fi
          open "$path" | { tee /dev/fd/3 | sha256sum | cut -d' ' -f1 > "$work/hash"; } 3>&1 | { tar -x --numeric-owner -C "$2" && cat > /dev/null; }
          [ "$(cat "$work/hash")" = "$hash" ] || { echo "$path is not what was backed up" >&2; exit 1; }
        }

        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        mkdir -p -m 700 "$target"
        if [ -n "$(ls -A "$target")" ]; then echo "$target is not empty" >&2; exit 1; fi
        log=$target/basmalin_wal
        checked base.tar "$target"
        read -r _ _ list < <(object backup_manifest) || true
        if [ -n "$list" ] && ! (umask 077; open "$list" > "$target/backup_manifest"); then
          rm -f "$target/backup_manifest"
          echo "$list cannot be read; without it pg_verifybackup has nothing to compare the files with, and PostgreSQL does not miss it" >&2
        fi
        mkdir -m 700 "$log"
        checked wal.tar "$log"

        if [ -n "$to" ]; then
          size=$(fact wal_segment_size) from=$(fact start_lsn)
          begin=$(( (16#${from%/*} << 32 | 16#${from#*/}) / size * size ))
          per=$(( 0x100000000 / size ))
          stream=$here/streams/$service/wal/$(fact system_identifier)
          for history in "$stream"/*.history.zst.age; do
            [ -e "$history" ] || continue
            name=$(basename "$history" .zst.age)
            age -d -i "$key" "$history" | zstd -dc > "$log/$name"
          done
          find "$stream" -mindepth 2 -type f -name '*.zst.age' | sort | while read -r piece; do
            name=$(basename "$piece" .zst.age) line=$(basename "$(dirname "$piece")")
            IFS=- read -r first last _ <<< "$name"
            at=$((16#$first)) end=$((16#$last))
            [ "$end" -gt "$begin" ] || continue
            age -d -i "$key" "$piece" | zstd -dc > "$work/piece"
            [ "$(stat -c %s "$work/piece")" -eq $((end - at)) ] || { echo "$piece is not as long as its name says" >&2; exit 1; }
            start=$at
            while [ "$at" -lt "$end" ]; do
              number=$((at / size)) offset=$((at % size))
              count=$((size - offset)); [ $((at + count)) -le "$end" ] || count=$((end - at))
              segment=$log/$(printf '%s%08X%08X' "$line" $((number / per)) $((number % per)))
              dd if="$work/piece" of="$segment" bs=64K iflag=skip_bytes,count_bytes oflag=seek_bytes skip=$((at - start)) count="$count" seek="$offset" conv=notrunc status=none
              truncate -s "$size" "$segment"
              at=$((at + count))
            done
          done
        fi

        {
          echo "restore_command = 'cp \"basmalin_wal/%f\" \"%p\"'"
          echo "recovery_end_command = 'rm -rf basmalin_wal'"
          case $to in
            '') echo "recovery_target_name = '$(fact restore_point)'" ;;
            latest) echo "recovery_target_timeline = 'latest'" ;;
            *) echo "recovery_target_time = '$to'"; echo "recovery_target_timeline = 'latest'" ;;
          esac
          echo "recovery_target_action = 'promote'"
          echo "archive_mode = 'off'"
          echo "primary_conninfo = ''"
          echo "synchronous_standby_names = ''"
        } >> "$target/postgresql.auto.conf"
        touch "$target/recovery.signal"
        rm -f "$target/standby.signal"
        chown -R --reference="$target/PG_VERSION" "$target"
        echo "$service of $set is in $target. Start PostgreSQL $(cat "$target/PG_VERSION") on it; it recovers, and then serves."
        echo "When it does, take the settings of the recovery away: ALTER SYSTEM RESET restore_command (recovery_end_command, recovery_target_name, recovery_target_time, ...)."

        """;

    internal static RecoverySection Section(BackupPart part) => new(
        $"{part.Service} (PostgreSQL {part.Facts.GetValueOrDefault("server_version", "")})",
        string.Create(CultureInfo.InvariantCulture, $"""
               As root, into an empty directory that becomes the data directory ({part.Facts.GetValueOrDefault("data_directory", PostgresRestore.UsualDirectory)} in the container):
               bash STACK/{ScriptName} KEYFILE SETID {part.Service} TARGET           the set itself
               bash STACK/{ScriptName} KEYFILE SETID {part.Service} TARGET latest    and all that was received after it
               bash STACK/{ScriptName} KEYFILE SETID {part.Service} TARGET TIME      up to a time: '2026-11-25 13:30:00+00'
               Then start PostgreSQL of the same major version on it, with the image {part.Facts.GetValueOrDefault("image", "")}.
            """))
    {
        Scripts = [new(ScriptName, Script)],
    };
}
