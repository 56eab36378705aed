namespace Orchestrator.Backups.Redis.Streams;

/// <summary>What the server says its own offset is, asked on a connection of its own.</summary>
internal sealed class ServerOffset(RedisEndpoint endpoint, TimeProvider time) : IAsyncDisposable
{
    private RedisConnection? _connection;
    private bool _refused;

    /// <returns>Null: it may not be asked, or does not answer now.</returns>
    public async Task<long?> AskAsync(CancellationToken cancellationToken)
    {
        if (_refused) return null;

        try
        {
            _connection ??= await RedisConnection.OpenAsync(endpoint, time, cancellationToken);
            var offset = (await RedisInfo.TryAskAsync(_connection, cancellationToken)).Number("master_repl_offset");
            _refused = offset is null;
            return offset;
        }
        catch (RedisException)
        {
            // The stream itself will tell what is wrong.
            await DisposeAsync();
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        _connection = null;
    }
}
