using System.Collections.Immutable;
using Npgsql;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Postgres;

/// <summary>How the daemon signs in to a database.</summary>
internal sealed record PostgresLogin(string Host, int Port, string User, Secret Password)
{
    private const int Port5432 = 5432;

    /// <summary>
    /// A database whose container is killed takes its network along: the word that its connections end may be lost with it, and a client that only reads would wait
    /// for ever. (Settings of libpq; seconds.)
    /// </summary>
    public const string Keepalives = "keepalives_idle=10 keepalives_interval=5 keepalives_count=3";

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

    /// <summary>For PostgreSQL's own programs. The password is in a file; none of them asks for it.</summary>
    public ImmutableArray<string> Arguments => ["-h", Host, "-p", ServerFacts.Number(Port), "-U", User, "-w"];

    /// <summary>As a connection string, so that a database of any name is nothing but a name.</summary>
    public static string Conninfo(string database) => $"dbname='{database.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}' {Keepalives}";

    public string ConnectionString(string database) => Builder(database).ConnectionString;

    /// <summary>For the replication protocol.</summary>
    /// <param name="options">Of the server's command line, such as <c>-c name=value</c>: this protocol knows no SET.</param>
    public string ReplicationString(string applicationName, string? options = null)
    {
        var builder = Builder("postgres");
        (builder.ApplicationName, builder.Options) = (applicationName, options);
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
        // As for the programs; how many go unanswered before the connection ends is the system's to say here (9, where nobody set it: within a minute).
        TcpKeepAlive = true,
        TcpKeepAliveTime = 10,
        TcpKeepAliveInterval = 5,
    };
}
