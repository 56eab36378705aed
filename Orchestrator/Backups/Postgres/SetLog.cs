using System.Buffers;
using System.Globalization;
using Npgsql.Replication;
using NpgsqlTypes;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// The piece of the log that a set needs to stand by itself: from where its base began to its restore point. A temporary slot, made before the base and
/// bound to this connection, keeps the server from throwing it away; when the daemon dies, the connection and with it the slot are gone.
/// </summary>
internal sealed class SetLog : IAsyncDisposable
{
    private const int EndsIdle = 140000;

    private readonly PhysicalReplicationConnection _connection;
    private readonly PhysicalReplicationSlot _slot;

    private SetLog(PhysicalReplicationConnection connection, PhysicalReplicationSlot slot, uint timeline)
    {
        _connection = connection;
        _slot = slot;
        Timeline = timeline;
    }

    public uint Timeline { get; }

    /// <param name="version">Of the server, as <see cref="ServerFacts.VersionNumber"/>.</param>
    public static async Task<SetLog> OpenAsync(PostgresLogin login, int version, CancellationToken cancellationToken)
    {
        // Nothing is asked of this connection while the files are copied: a server that ends idle sessions would take the slot along.
        var connection = new PhysicalReplicationConnection(login.ReplicationString(PostgresLogin.ApplicationName, version >= EndsIdle ? "-c idle_session_timeout=0" : null));
        try
        {
            await connection.Open(cancellationToken);
            var identity = await connection.IdentifySystem(cancellationToken);
            var slot = await connection.CreateReplicationSlot(
                string.Create(CultureInfo.InvariantCulture, $"basmalin_set_{Guid.CreateVersion7():N}"), isTemporary: true, reserveWal: true, cancellationToken);
            return new(connection, slot, identity.Timeline);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public Task<BackupObject> WriteAsync(string name, Lsn from, Lsn to, long segmentSize, BackupWriter writer, CancellationToken cancellationToken) => writer.WriteAsync(
        name,
        async (output, token) =>
        {
            var tar = new SegmentTar(output, Timeline, segmentSize);
            await FollowAsync(from.SegmentStart(segmentSize), to, (at, data) => tar.AppendAsync(at, data, token), token);
            await tar.EndAsync(token);
        },
        cancellationToken);

    private async Task FollowAsync(Lsn from, Lsn to, Func<Lsn, ReadOnlyMemory<byte>, Task> use, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
        var position = from;
        try
        {
            await foreach (var message in _connection.StartReplication(_slot, new NpgsqlLogSequenceNumber(from.Value), enough.Token, Timeline))
            {
                if ((ulong)message.WalStart != position.Value)
                    throw new BackupFailedException($"the server sent its log from {message.WalStart}, and {position} was due", "The next run begins anew.");
                int read;
                while ((read = await message.Data.ReadAsync(buffer, cancellationToken)) > 0)
                {
                    await use(position, buffer.AsMemory(0, read));
                    position += read;
                }

                _connection.SetReplicationStatus(new NpgsqlLogSequenceNumber(position.Value));
                if (position >= to) await enough.CancelAsync();
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && position >= to)
        {
            // All that was wanted has come.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (position < to) throw new BackupFailedException($"the server ended its log at {position}, before {to}: it was promoted or went away", "The next run begins anew.");
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
