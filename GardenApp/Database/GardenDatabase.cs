using System.Data;
using GardenApp.Hosting;
using GardenApp.Telemetry;
using Npgsql;

namespace GardenApp.Database;

/// <summary>The way to PostgreSQL. Nothing connects before it must: the application starts, unhealthy, while the database is still away.</summary>
internal sealed class GardenDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource? _source;
    private readonly GardenMetrics _metrics;

    public GardenDatabase(GardenSettings settings, GardenMetrics metrics)
    {
        _metrics = metrics;
        if (settings.DatabaseConnection is { } connection) _source = new NpgsqlSlimDataSourceBuilder(connection).EnableArrays().EnableTransportSecurity().Build();
    }

    /// <summary>False without DATABASE_URL: the application then shows one sample garden and keeps nothing.</summary>
    internal bool IsConfigured => _source is not null;

    /// <summary>An open connection from the pool, counted in <c>database_connections_active</c> until it is disposed.</summary>
    internal async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (_source is null) throw new DatabaseNotConfiguredException();
        var connection = _source.CreateConnection();
        connection.StateChange += OnStateChange;
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

    /// <summary>What went wrong, with the reason behind it: "failed to connect" alone helps nobody. Never holds a password.</summary>
    internal static string Describe(Exception exception) =>
        exception is NpgsqlException { InnerException: { } inner } ? $"{exception.Message} ({inner.Message})" : exception.Message;

    public async ValueTask DisposeAsync()
    {
        if (_source is not null) await _source.DisposeAsync();
    }

    private void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Open) _metrics.DatabaseConnections.Inc();
        else if (change is { OriginalState: ConnectionState.Open, CurrentState: ConnectionState.Closed }) _metrics.DatabaseConnections.Dec();
    }
}
