using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>Takes out of a restored database's configuration what only its recovery needed.</summary>
public sealed class PostgresSettling(PostgresLogins logins)
{
    /// <summary>Already done is success. Said when the database has been promoted; <c>archive_mode</c> is the image's own again after its next start.</summary>
    /// <returns>False: it is still recovering, or none of ours.</returns>
    public async Task<bool> RunAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(subject, cancellationToken);
        try
        {
            await using var connection = await login.OpenAsync("postgres", cancellationToken);
            return await RunAsync(connection, cancellationToken);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    internal static async Task<bool> RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var ask = new NpgsqlCommand("SELECT NOT pg_is_in_recovery() AND current_setting('restore_command') LIKE '%' || @log || '%'", connection);
        ask.Parameters.AddWithValue("log", RecoverySettings.LogDirectory);
        if (await ask.ExecuteScalarAsync(cancellationToken) is not true) return false;

        foreach (var setting in RecoverySettings.Temporary) await TableFingerprints.ExecuteAsync(connection, $"ALTER SYSTEM RESET {setting}", cancellationToken);
        await TableFingerprints.ExecuteAsync(connection, "SELECT pg_reload_conf()", cancellationToken);
        return true;
    }
}
