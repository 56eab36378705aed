namespace Orchestrator.Backups.Redis.Streams;

/// <summary>Whether Redis may be asked for a full copy now: it forks for each, and a fork needs memory.</summary>
internal static class CopyPermission
{
    /// <returns>Why it must wait; null: it need not.</returns>
    /// <exception cref="RedisException">Redis does not answer.</exception>
    public static async Task<BackupFinding?> ProblemAsync(string service, RedisEndpoint endpoint, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var connection = await RedisConnection.OpenAsync(endpoint, time, cancellationToken);
        var used = (await RedisInfo.TryAskAsync(connection, cancellationToken)).Number("used_memory_rss");
        var memory = HostMemory.Read();
        if (used is null || memory.Available is not { } free || free > used / (memory.Overcommits ? 4 : 1)) return null;

        return new(
            Blocking: false,
            $"{service}: Redis uses {used / 1048576} MiB and the host has {free / 1048576} MiB free: a copy could make the kernel kill something",
            memory.Overcommits ? "Give the host more memory." : "sysctl -w vm.overcommit_memory=1, or give the host more memory.");
    }
}
