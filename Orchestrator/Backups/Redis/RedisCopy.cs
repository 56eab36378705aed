using System.IO.Pipelines;
using Orchestrator.Backups.Redis.Rdb;
using Orchestrator.Docker;

namespace Orchestrator.Backups.Redis;

/// <summary>
/// The data of a running Redis as one RDB file: as a replica gets it, or, where Redis refuses that, saved by Redis into its own directory and fetched from there.
/// Both make Redis fork.
/// </summary>
internal sealed class RedisCopy(IContainerEngine engine, TimeProvider time)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    /// <param name="copy">Gets the file; null: its content is only looked at.</param>
    /// <exception cref="BackupFailedException">It could not be had whole.</exception>
    public async Task<Result> ReadAsync(RedisEndpoint endpoint, ContainerId container, Stream? copy, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await ReplicatedAsync(endpoint, copy, cancellationToken);
            }
            catch (RedisException refused) when (refused.Fault is RedisFault.NoRight or RedisFault.Refused)
            {
                return await SavedAsync(endpoint, container, copy, refused, cancellationToken);
            }
        }
        catch (RedisException failure)
        {
            throw new BackupFailedException(failure.Message, failure.Hint, failure);
        }
    }

    private async Task<Result> ReplicatedAsync(RedisEndpoint endpoint, Stream? copy, CancellationToken cancellationToken)
    {
        await using var replica = await RedisReplica.OpenAsync(endpoint, since: null, dataOnly: true, time, cancellationToken);
        var payload = replica.Payload ?? throw new RedisException(RedisFault.Protocol, "Redis sent no data for a full copy", null);
        var taken = Taken();
        return new(replica.Position, taken, await RdbScan.ReadAsync(payload, copy, cancellationToken), "psync", null);
    }

    private async Task<Result> SavedAsync(RedisEndpoint endpoint, ContainerId container, Stream? copy, RedisException why, CancellationToken cancellationToken)
    {
        await using var connection = await RedisConnection.OpenAsync(endpoint, time, cancellationToken);
        await SaveAsync(connection, cancellationToken);
        var taken = Taken();
        var settings = await RedisSettings.AskAsync(connection, cancellationToken);
        var path = $"{settings.Directory.TrimEnd('/')}/{settings.FileName}";

        // The engine writes where it is told to, and the file's reader reads: a pipe between them.
        var pipe = new Pipe();
        var fetch = FetchAsync(container, path, pipe.Writer, cancellationToken);
        RdbSummary summary;
        try
        {
            await using var content = pipe.Reader.AsStream();
            summary = await RdbScan.ReadAsync(content, copy, cancellationToken);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
        }

        await fetch;
        return new(null, taken, summary, "bgsave", why.Message);
    }

    private long Taken() => time.GetUtcNow().ToUnixTimeSeconds() + 1;

    /// <summary>Redis renames a finished file into its place, so that what is read from it is always one whole save.</summary>
    private async Task FetchAsync(ContainerId container, string path, PipeWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            var result = await engine.ExecAsync(container, ["cat", path], writer.AsStream(leaveOpen: true), cancellationToken);
            if (result.ExitCode != 0)
            {
                throw new BackupFailedException(
                    $"Redis's file {path} could not be read in its container: {result.Output.Trim()}",
                    "Give the backup's user the right to replicate (ACL SETUSER NAME +psync +replconf +ping), so that no file is needed, or +config|get, so that the daemon knows where it lies.");
            }

            await writer.CompleteAsync();
        }
        catch (Exception failure)
        {
            await writer.CompleteAsync(failure);
            throw;
        }
    }

    private async Task SaveAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        // One that runs already began before the backup did: what has been written since would be missing.
        await UntilSavedAsync(connection, cancellationToken);
        var forks = (await RedisInfo.AskAsync(connection, cancellationToken)).Number("total_forks");
        await connection.AskAsync(["BGSAVE", "SCHEDULE"], cancellationToken);

        var info = await RedisInfo.AskAsync(connection, cancellationToken);
        while (forks is not null && info.Number("total_forks") == forks)
        {
            await Task.Delay(LookAgain, time, cancellationToken);       // a rewrite of the append-only file goes first
            info = await RedisInfo.AskAsync(connection, cancellationToken);
        }

        info = await UntilSavedAsync(connection, cancellationToken);
        if (info["rdb_last_bgsave_status"] != "ok")
        {
            throw new BackupFailedException(
                "Redis could not save its data (rdb_last_bgsave_status is not ok)",
                "Its log says why: no room on the disk of its volume, or no memory to fork ('sysctl vm.overcommit_memory=1').");
        }
    }

    private async Task<RedisInfo> UntilSavedAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            var info = await RedisInfo.AskAsync(connection, cancellationToken);
            if (info["rdb_bgsave_in_progress"] != "1") return info;
            await Task.Delay(LookAgain, time, cancellationToken);
        }
    }

    /// <param name="Position">Where the history of commands goes on behind the copy; null when Redis did not say.</param>
    /// <param name="Taken">Unix time by which all of it had happened.</param>
    /// <param name="Method"><c>psync</c> or <c>bgsave</c>.</param>
    /// <param name="WhyNotReplicated">What Redis said when it refused to replicate; null when it did not.</param>
    internal sealed record Result(RedisPosition? Position, long Taken, RdbSummary Summary, string Method, string? WhyNotReplicated);
}
