using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// Lets commits wait until this host has the log, and stops them from waiting when it does not answer: a backup must never stop what it protects. Only a
/// setting that is empty or ours is touched.
/// </summary>
internal sealed class SynchronousCommit(string name, TimeProvider time)
{
    private Lsn _awaited;
    private long? _since;

    /// <summary>Commits wait for us, as the server said last.</summary>
    public bool Armed { get; private set; }

    /// <summary>What somebody else has set; null: nothing.</summary>
    public string? Foreign { get; private set; }

    /// <summary>Since when it has been switched off by us; null: it has not.</summary>
    public bool Degraded { get; private set; }

    /// <summary>Looks once, and acts.</summary>
    /// <param name="wanted">As the file says.</param>
    /// <param name="server">The end of the log, asked for just now.</param>
    /// <param name="durable">What we have confirmed.</param>
    public async Task<SynchronousChange> LookAsync(NpgsqlConnection connection, bool wanted, TimeSpan patience, bool streaming, Lsn server, Lsn durable, CancellationToken cancellationToken)
    {
        await ReadAsync(connection, cancellationToken);
        if (!wanted) return Armed ? await SetAsync(connection, "", SynchronousChange.Disarmed, cancellationToken) : SynchronousChange.None;
        if (Foreign is not null) return SynchronousChange.None;

        if (durable >= _awaited) _since = null;
        if (_since is null && durable < server) (_awaited, _since) = (server, time.GetTimestamp());
        if (Armed && _since is { } since && time.GetElapsedTime(since) > patience) return await SetAsync(connection, "", SynchronousChange.Degraded, cancellationToken);
        return !Armed && streaming && durable >= server ? await SetAsync(connection, name, SynchronousChange.Armed, cancellationToken) : SynchronousChange.None;
    }

    /// <summary>Commits no longer wait for us: we are about to go.</summary>
    public async Task ReleaseAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await ReadAsync(connection, cancellationToken);
        if (Armed) await SetAsync(connection, "", SynchronousChange.Disarmed, cancellationToken);
    }

    private async Task ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('synchronous_standby_names')", connection);
        var set = (string)(await command.ExecuteScalarAsync(cancellationToken) ?? "");
        Armed = set == name;
        Foreign = set.Length > 0 && !Armed ? set : null;
    }

    private async Task<SynchronousChange> SetAsync(NpgsqlConnection connection, string value, SynchronousChange change, CancellationToken cancellationToken)
    {
        // The name consists of letters, digits and underscores. The reload reaches sessions that wait at once.
        await TableFingerprints.ExecuteAsync(connection, $"ALTER SYSTEM SET synchronous_standby_names = '{value}'", cancellationToken);
        await TableFingerprints.ExecuteAsync(connection, "SELECT pg_reload_conf()", cancellationToken);
        Armed = value.Length > 0;
        Degraded = change == SynchronousChange.Degraded;
        _since = null;
        return change;
    }
}

internal enum SynchronousChange
{
    None,

    /// <summary>Commits wait for us from now on.</summary>
    Armed,

    /// <summary>They no longer do, as is wanted.</summary>
    Disarmed,

    /// <summary>They no longer do, because we did not answer.</summary>
    Degraded,
}
