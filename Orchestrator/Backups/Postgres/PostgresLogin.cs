using Npgsql;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Postgres;

/// <summary>How the daemon signs in to a database.</summary>
internal sealed record PostgresLogin(string Host, int Port, string User, Secret Password)
{
    private const int Port5432 = 5432;

    /// <summary>As the application sees it in <c>pg_stat_activity</c>; the receiver of the log has another.</summary>
    public const string ApplicationName = "basmalin";

    /// <param name="address"><c>host</c> or <c>host:port</c>.</param>
    public static PostgresLogin At(string address, string user, Secret password)
    {
        var colon = address.LastIndexOf(':');
        return colon > 0 && address.IndexOf(':', StringComparison.Ordinal) == colon && int.TryParse(address.AsSpan(colon + 1), out var port)
            ? new(address[..colon], port, user, password)
            : new(address, Port5432, user, password);
    }

    public string ConnectionString(string database) => Builder(database).ConnectionString;

    /// <summary>For the replication protocol.</summary>
    public string ReplicationString(string applicationName)
    {
        var builder = Builder("postgres");
        builder.ApplicationName = applicationName;
        // A peer that vanished without a word must be noticed also while nothing is streamed.
        builder.TcpKeepAlive = true;
        builder.TcpKeepAliveTime = 10;
        builder.TcpKeepAliveInterval = 5;
        return builder.ConnectionString;
    }

    public async Task<NpgsqlConnection> OpenAsync(string database, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(ConnectionString(database));
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>One line of a <c>.pgpass</c> file.</summary>
    public string PassFile() => $"*:*:*:*:{Password.Reveal().Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal)}\n";

    private NpgsqlConnectionStringBuilder Builder(string database) => new()
    {
        Host = Host,
        Port = Port,
        Username = User,
        Password = Password.Reveal(),
        Database = database,
        ApplicationName = ApplicationName,
        Pooling = false,
        Timeout = 10,
        CommandTimeout = 0,
        IncludeErrorDetail = false,
    };
}
