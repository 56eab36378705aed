using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>The replication slot that keeps log on the server until it is here.</summary>
internal sealed record WalSlot(Lsn? Restart, bool Lost, bool Active, long? Room)
{
    /// <summary>The slot's, and the receiver's application name: letters, digits and underscores, at most 63.</summary>
    public static string NameOf(string stack, string service)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{stack}/{service}")).AsSpan(0, 4));
        var readable = new string([.. $"{stack}_{service}".ToLowerInvariant().Select(letter => letter is >= 'a' and <= 'z' or >= '0' and <= '9' ? letter : '_').Take(40)]);
        return $"basmalin_{readable}_{hash}";
    }

    public static async Task<WalSlot?> FindAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        var recent = connection.PostgreSqlVersion.Major >= 13;
        await using var command = new NpgsqlCommand(
            $"SELECT restart_lsn::text, {(recent ? "coalesce(wal_status, '')" : "''")}, active, {(recent ? "safe_wal_size" : "NULL::bigint")} FROM pg_replication_slots WHERE slot_name = @name",
            connection);
        command.Parameters.AddWithValue("name", name);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) return null;
        Lsn? restart = row.IsDBNull(0) ? null : Lsn.Parse(row.GetString(0));
        return new(restart, row.GetString(1) == "lost" || restart is null, row.GetBoolean(2), row.IsDBNull(3) ? null : row.GetInt64(3));
    }

    /// <summary>
    /// The content of a timeline's history file. Read as a file: the client's own call for it does not understand what servers from version 15 on answer.
    /// </summary>
    public static async Task<string> HistoryAsync(NpgsqlConnection connection, uint timeline, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_read_file('pg_wal/' || @name)", connection);
            command.Parameters.AddWithValue("name", WalNames.History(timeline));
            return (string)(await command.ExecuteScalarAsync(cancellationToken) ?? "");
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new BackupFailedException(
                $"the server is on timeline {timeline} now, and the role may not read where it came from",
                "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO the role, and GRANT pg_read_server_files TO it", refused);
        }
    }

    /// <returns>From where on the server now keeps its log.</returns>
    public static async Task<Lsn> CreateAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT lsn::text FROM pg_create_physical_replication_slot(@name, true)", connection);
        command.Parameters.AddWithValue("name", name);
        return Lsn.Parse(Convert.ToString(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture) ?? "");
    }

    /// <summary>Already gone is success. One that is in use is let go first: by us, or by a receiver of ours whose connection the server still believes in.</summary>
    public static async Task DropAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = @name AND active;
            SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = @name AND NOT active
            """,
            connection);
        command.Parameters.AddWithValue("name", name);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
