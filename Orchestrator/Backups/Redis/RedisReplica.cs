using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Redis;

/// <summary>
/// A connection on which Redis takes the daemon for a replica: it sends its data as of one offset of its history of commands, and then the commands.
/// </summary>
internal sealed class RedisReplica : IAsyncDisposable
{
    private RedisReplica(RedisConnection connection, RedisPosition position, RdbPayload? payload)
    {
        Connection = connection;
        Position = position;
        Payload = payload;
    }

    public RedisConnection Connection { get; }

    /// <summary>Where the stream goes on: of a full copy, the offset that it stands for; else the offset that was asked for, under the history's present name.</summary>
    public RedisPosition Position { get; }

    /// <summary>The full copy; null: the server goes on where the daemon was.</summary>
    public RdbPayload? Payload { get; }

    /// <param name="since">The position up to which everything was received; null: a full copy is wanted.</param>
    /// <param name="dataOnly">The stream of commands behind the copy is not wanted, so the server need not keep it.</param>
    /// <exception cref="RedisException">Refused, or unreachable.</exception>
    public static async Task<RedisReplica> OpenAsync(RedisEndpoint endpoint, RedisPosition? since, bool dataOnly, TimeProvider time, CancellationToken cancellationToken)
    {
        var connection = await RedisConnection.OpenAsync(endpoint, time, cancellationToken);
        try
        {
            await connection.AskAsync(["REPLCONF", "listening-port", "0"], cancellationToken);
            await connection.AskAsync(["REPLCONF", "capa", "eof", "capa", "psync2"], cancellationToken);
            // Known from Redis 7.0 on. Older ones keep the stream for us, which costs them a little memory.
            if (dataOnly) await connection.TryAskAsync(["REPLCONF", "rdb-only", "1"], cancellationToken);
            return await SynchroniseAsync(connection, since, cancellationToken);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public Task AcknowledgeAsync(long offset, CancellationToken cancellationToken) =>
        Connection.SendAsync(["REPLCONF", "ACK", offset.ToString(CultureInfo.InvariantCulture)], cancellationToken);

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    private static async Task<RedisReplica> SynchroniseAsync(RedisConnection connection, RedisPosition? since, CancellationToken cancellationToken)
    {
        await connection.SendAsync(
            since is null ? ["PSYNC", "?", "-1"] : ["PSYNC", since.History, (since.Offset + 1).ToString(CultureInfo.InvariantCulture)], cancellationToken);
        var line = "";
        while (line.Length == 0) line = await connection.LineAsync(cancellationToken);
        if (line[0] == '-') throw RedisException.Of("PSYNC", new RedisReply.Refusal(line[1..]));

        ImmutableArray<string> words = [.. line.Split(' ')];
        switch (words[0])
        {
            case "+FULLRESYNC" when words.Length == 3 && long.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var offset):
                return new(connection, new(words[1], offset), await RdbPayload.OpenAsync(connection, cancellationToken));
            case "+CONTINUE" when since is not null:
                // After a failover the history goes on under another name.
                return new(connection, words.Length > 1 ? since with { History = words[1] } : since, null);
            default:
                throw new RedisException(RedisFault.Protocol, $"Redis answered PSYNC with '{line[..Math.Min(line.Length, 80)]}'", null);
        }
    }
}
