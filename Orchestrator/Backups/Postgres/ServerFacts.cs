using System.Globalization;
using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>What a cluster says of itself.</summary>
internal sealed record ServerFacts
{
    public required string Version { get; init; }

    /// <summary>Such as 150008; 12.x is 12xxxx.</summary>
    public required int VersionNumber { get; init; }

    public required string SystemIdentifier { get; init; }

    /// <summary>Bytes; 16 MiB unless the cluster was made with another.</summary>
    public required long SegmentSize { get; init; }

    /// <summary>In the container. Null: only a privileged role is told.</summary>
    public required string? DataDirectory { get; init; }

    public required string WalLevel { get; init; }

    public required bool Archives { get; init; }

    public required int MaxSenders { get; init; }

    public required int MaxSlots { get; init; }

    /// <summary>MiB that slots may hold back; -1: without end. Null before version 13, which has no limit.</summary>
    public required long? SlotLimit { get; init; }

    public required bool MayReplicate { get; init; }

    public required bool Superuser { get; init; }

    public required bool MayRead { get; init; }

    /// <summary>May set restore points.</summary>
    public required bool MayMark { get; init; }

    public required bool Standby { get; init; }

    /// <summary>Can compress a base itself, with zstd: from version 15 on, where it was built with that.</summary>
    public required bool Compresses { get; init; }

    /// <summary>Of tablespaces outside the data directory, their names; empty: none.</summary>
    public required string Tablespaces { get; init; }

    /// <summary>Of all databases; 0 where it was not asked for, since it takes a look at every file.</summary>
    public required long Bytes { get; init; }

    public const int Oldest = 120000;

    private const int CompressesFrom = 150000;

    private const string Query =
        """
        SELECT current_setting('server_version'), current_setting('server_version_num')::int, s.system_identifier::text,
               pg_size_bytes(current_setting('wal_segment_size')), current_setting('wal_level'), current_setting('archive_mode') <> 'off',
               current_setting('max_wal_senders')::int, current_setting('max_replication_slots')::int,
               (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
               r.rolreplication OR r.rolsuper, r.rolsuper,
               r.rolsuper OR CASE WHEN EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'pg_read_all_data') THEN pg_has_role('pg_read_all_data', 'USAGE') ELSE false END,
               pg_is_in_recovery(),
               (SELECT coalesce(string_agg(spcname, ', '), '') FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')),
               (SELECT sum(CASE WHEN @sized AND (r.rolsuper OR has_database_privilege(oid, 'CONNECT')) THEN pg_database_size(oid) ELSE 0 END)::bigint FROM pg_database),
               has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE'),
               -- The same build and version bring both; which ways a base can be compressed in is not said.
               coalesce((SELECT 'zstd' = ANY (enumvals) FROM pg_settings WHERE name = 'wal_compression'), false),
               (SELECT setting FROM pg_settings WHERE name = 'data_directory')
        FROM pg_control_system() s, pg_roles r WHERE r.rolname = current_user
        """;

    public static async Task<ServerFacts> ReadAsync(NpgsqlConnection connection, bool sized, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Query, connection);
        command.Parameters.AddWithValue("sized", sized);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) throw new InvalidOperationException("The server does not know the role that is signed in.");
        return new()
        {
            Version = row.GetString(0),
            VersionNumber = row.GetInt32(1),
            SystemIdentifier = row.GetString(2),
            SegmentSize = row.GetInt64(3),
            WalLevel = row.GetString(4),
            Archives = row.GetBoolean(5),
            MaxSenders = row.GetInt32(6),
            MaxSlots = row.GetInt32(7),
            SlotLimit = row.IsDBNull(8) ? null : row.GetInt64(8),
            MayReplicate = row.GetBoolean(9),
            Superuser = row.GetBoolean(10),
            MayRead = row.GetBoolean(11),
            Standby = row.GetBoolean(12),
            Tablespaces = row.GetString(13),
            Bytes = row.GetInt64(14),
            MayMark = row.GetBoolean(15),
            Compresses = row.GetInt32(1) >= CompressesFrom && row.GetBoolean(16),
            DataDirectory = row.IsDBNull(17) ? null : row.GetString(17),
        };
    }

    /// <summary>Databases that can be signed in to, without templates.</summary>
    public static async Task<IReadOnlyList<string>> DatabasesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT') ORDER BY datname", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var names = new List<string>();
        while (await rows.ReadAsync(cancellationToken)) names.Add(rows.GetString(0));
        return names;
    }

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
