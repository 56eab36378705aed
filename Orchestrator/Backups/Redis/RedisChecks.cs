using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Redis;

/// <summary>What stands in the way of copies of a Redis, each with the command that mends it. Asks nothing that makes Redis fork.</summary>
internal sealed class RedisChecks(BackupSubject subject, RedisConnection connection, HostMemory memory)
{
    private const int KnowsWrongOffsets = 7;

    public async Task<ImmutableArray<BackupFinding>> FindAsync(CancellationToken cancellationToken)
    {
        var ping = await connection.TryAskAsync(["PING"], cancellationToken);
        if (ping is RedisReply.Refusal refusal && !refusal.Message.StartsWith("NOPERM", StringComparison.Ordinal))
        {
            var failure = RedisException.Of("PING", refusal);
            return [new BackupFinding(Blocking: true, failure.Message, failure.Hint)];
        }

        var info = await RedisInfo.TryAskAsync(connection, cancellationToken);
        return [.. (await RightAsync(info, cancellationToken)).Concat(Memory(info)).Concat(Role(info))];
    }

    /// <summary>
    /// A Redis from 7.0 on refuses a PSYNC whose offset is no number before it does anything, and whether the user may say PSYNC at all before that: so
    /// the right can be seen without a copy.
    /// </summary>
    private async Task<ImmutableArray<BackupFinding>> RightAsync(RedisInfo info, CancellationToken cancellationToken)
    {
        if (info.Major is > 0 and < KnowsWrongOffsets) return [];
        // Without INFO the version is unknown; a user so limited has come with Redis 6 at the earliest.
        if (info.Major == 0 && await connection.TryAskAsync(["ACL", "WHOAMI"], cancellationToken) is RedisReply.Refusal) return [];

        if (await connection.TryAskAsync(["PSYNC", "?", "none"], cancellationToken) is not RedisReply.Refusal refusal || !refusal.Message.StartsWith("NOPERM", StringComparison.Ordinal)) return [];

        var streams = subject.Backup.Stream;
        return
        [
            new BackupFinding(
                streams,
                $"{subject.Service.Name}: the user {subject.Backup.User ?? "default"} may not replicate ({refusal.Message})",
                $"redis-cli ACL SETUSER {subject.Backup.User ?? "default"} +psync +replconf +ping{(streams ? "" : " (until then Redis saves into its volume, and there is no stream of commands)")}"),
        ];
    }

    private IEnumerable<BackupFinding> Memory(RedisInfo info)
    {
        if (info.Number("used_memory_rss") is not { } used) yield break;

        if (!memory.Overcommits)
            yield return new(false, "The host's vm.overcommit_memory is not 1: Redis's fork for a copy fails when memory is short", "sysctl -w vm.overcommit_memory=1, and the same line in /etc/sysctl.d/");
        if (memory.Available < used / 2)
        {
            yield return new(
                false, $"{subject.Service.Name}: Redis uses {Megabytes(used)}, the host has {Megabytes(memory.Available.Value)} free: pages that change during a copy are needed twice",
                "Give the host more memory, or make backups when little is written.");
        }

        if (subject.Service.Container.Resources.Memory is { } limit && used * 3 / 2 > limit)
        {
            yield return new(
                false, $"{subject.Service.Name}: Redis uses {Megabytes(used)} of the {Megabytes(limit)} that its container may: a copy during heavy writing can make the engine kill it",
                "Raise deploy.resources.limits.memory to twice what Redis uses.");
        }
    }

    private IEnumerable<BackupFinding> Role(RedisInfo info)
    {
        if (info["role"] == "slave" && info["master_link_status"] == "down")
            yield return new(true, $"{subject.Service.Name}: it is a replica without its master, and refuses to be copied", "Bring its master back, or make it one: redis-cli REPLICAOF NO ONE");
        if (info["cluster_enabled"] == "1")
        {
            yield return new(
                false, $"{subject.Service.Name}: it is one of a cluster. Each master is copied by itself, and there is no moment that all of them share",
                "Give every master a backup, and stop writing for the moment of a set that must fit together.");
        }

        if (info["loading"] == "1")
            yield return new(true, $"{subject.Service.Name}: Redis loads its data", "Wait until it has.");
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0} MiB");
}
