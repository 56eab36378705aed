using System.Collections.Immutable;
using System.Net.Sockets;
using Npgsql;
using Npgsql.Replication;

namespace Orchestrator.Backups.Postgres;

/// <summary>What a database lacks for being copied, with the exact line that mends it.</summary>
internal static class PostgresChecks
{
    private const string HbaHint = "run SELECT pg_reload_conf() afterwards. 'samenet' are the networks that the container is on: the daemon comes from there, and programs that copy come from the container's own address";

    /// <summary>What a copy needs to know of the server, which is found fit for one first.</summary>
    /// <exception cref="BackupFailedException">Something is missing.</exception>
    /// <exception cref="NpgsqlException">The server does not answer, or refuses.</exception>
    public static async Task<ServerFacts> FitAsync(BackupSubject subject, PostgresLogin login, CancellationToken cancellationToken)
    {
        await using var connection = await login.OpenAsync("postgres", cancellationToken);
        var facts = await ServerFacts.ReadAsync(connection, sized: true, cancellationToken);
        // Whether replication is let in shows when the log is opened.
        return Settings(subject, login.User, facts).FirstOrDefault(finding => finding.Blocking) is { } blocking
            ? throw new BackupFailedException($"{subject.Stack}/{subject.Service.Name}: {blocking.What}", blocking.Hint)
            : facts;
    }

    public static async Task<ImmutableArray<BackupFinding>> RunAsync(BackupSubject subject, PostgresLogin login, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await login.OpenAsync("postgres", cancellationToken);
            var facts = await ServerFacts.ReadAsync(connection, sized: false, cancellationToken);
            var findings = Settings(subject, login.User, facts);
            if (findings.Any(finding => finding.Blocking)) return findings;
            return findings.AddRange(await ReplicationAsync(login, cancellationToken));
        }
        catch (Exception failure) when (failure is NpgsqlException or SocketException or TimeoutException)
        {
            return [Explain(login, failure)];
        }
    }

    /// <summary>Pure.</summary>
    public static ImmutableArray<BackupFinding> Settings(BackupSubject subject, string user, ServerFacts facts)
    {
        var findings = ImmutableArray.CreateBuilder<BackupFinding>();
        var blocks = true;
        void Add(string what, string hint) => findings.Add(new(blocks, what, hint));

        if (facts.VersionNumber < ServerFacts.Oldest) Add($"PostgreSQL {facts.Version} is older than 12", "Upgrade the database");
        if (facts.WalLevel == "minimal") Add("wal_level is minimal: nobody can follow the log", "ALTER SYSTEM SET wal_level = 'replica'; then restart the database");
        if (!facts.MayReplicate) Add($"role {user} may not replicate", $"ALTER ROLE {Quoted(user)} REPLICATION");
        if (!facts.MayMark) Add($"role {user} may not set restore points, and each set has one", MarkHint(user));
        var senders = subject.Backup.Wal ? 3 : 2;
        if (facts.MaxSenders < senders) Add($"max_wal_senders is {facts.MaxSenders}; a copy and the log need {senders}", "ALTER SYSTEM SET max_wal_senders = 10; then restart the database");
        if (facts.MaxSlots < 2) Add($"max_replication_slots is {facts.MaxSlots}; a copy and the log need 2", "ALTER SYSTEM SET max_replication_slots = 10; then restart the database");
        if (facts.Tablespaces.Length > 0)
            Add($"tablespaces outside the data directory cannot be copied: {facts.Tablespaces}", "Move their tables: ALTER TABLE ALL IN TABLESPACE name SET TABLESPACE pg_default");
        if (facts.Standby) Add("the server is a standby: restore points can only be set on the primary", "Back up the primary");

        blocks = false;
        if (subject.Backup.Wal && facts.SlotLimit is -1)
        {
            Add("max_slot_wal_keep_size is not set: were the daemon away for long, the log that waits for it could fill the database's disk",
                "ALTER SYSTEM SET max_slot_wal_keep_size = '8GB'; SELECT pg_reload_conf()");
        }

        if (!facts.Superuser)
        {
            Add($"role {user} is no superuser: it cannot hold writers still for the moment of a restore point, so tables that are written to meanwhile are not compared",
                "Only a superuser can lock every table; without it such tables are named in the set's facts");
        }

        if (!facts.MayRead) Add($"role {user} cannot read all tables: a restored copy is compared only in those that it can", $"GRANT pg_read_all_data TO {Quoted(user)}");
        return findings.ToImmutable();
    }

    /// <summary>A failure to sign in or to replicate, in the operator's words.</summary>
    public static BackupFinding Explain(PostgresLogin login, Exception failure) => failure switch
    {
        PostgresException { SqlState: "28P01" } => new(true, $"wrong password for role {login.User}", "Set x-basmalin.backup.password_secret to the secret that holds it, or correct the secret"),
        PostgresException { SqlState: "28000", MessageText: var text } when text.Contains("replication", StringComparison.Ordinal) => new(
            true, $"pg_hba.conf lets nobody replicate: {text}", $"Add the line 'host replication {login.User} samenet scram-sha-256' to pg_hba.conf and {HbaHint}"),
        PostgresException { SqlState: "28000", MessageText: var text } => new(
            true, $"pg_hba.conf does not let role {login.User} in: {text}", $"Add the line 'host all {login.User} samenet scram-sha-256' to pg_hba.conf and {HbaHint}"),
        PostgresException { SqlState: "42501", MessageText: var text } when text.Contains("pg_create_restore_point", StringComparison.Ordinal) => new(
            true, $"role {login.User} may not set restore points: {text}", MarkHint(login.User)),
        PostgresException { SqlState: "42501" } refused => new(true, $"role {login.User} lacks a right: {refused.MessageText}", $"ALTER ROLE {Quoted(login.User)} REPLICATION"),
        PostgresException { SqlState: "53300" } full => new(true, $"the server takes no more connections: {full.MessageText}", "ALTER SYSTEM SET max_wal_senders = 10 (or max_connections); then restart the database"),
        PostgresException { SqlState: "57P03" } starting => new(true, $"the server is not ready: {starting.MessageText}", "Wait until it has started, then try again"),
        PostgresException answered => new(true, $"the server refused: {answered.MessageText} ({answered.SqlState})", "See the database's log"),
        _ => new(true, $"the database cannot be reached at {login.Host}:{login.Port}: {Innermost(failure)}", "Is it running? See 'basmalin status' and the database's log"),
    };

    public static BackupFailedException Failed(BackupSubject subject, PostgresLogin login, Exception failure)
    {
        var finding = Explain(login, failure);
        return new($"{subject.Stack}/{subject.Service.Name}: {finding.What}", finding.Hint, failure);
    }

    private static async Task<ImmutableArray<BackupFinding>> ReplicationAsync(PostgresLogin login, CancellationToken cancellationToken)
    {
        await using var replication = new PhysicalReplicationConnection(login.ReplicationString(PostgresLogin.ApplicationName));
        await replication.Open(cancellationToken);
        await replication.IdentifySystem(cancellationToken);
        return [];
    }

    private static string Innermost(Exception failure) => failure.InnerException is { } inner ? Innermost(inner) : failure.Message;

    /// <summary>Rights on functions are each database's own.</summary>
    private static string MarkHint(string user) =>
        $"In each database that the role may connect to, as a superuser: GRANT EXECUTE ON FUNCTION pg_catalog.pg_create_restore_point(text) TO {Quoted(user)}";

    private static string Quoted(string role) => $"\"{role.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
