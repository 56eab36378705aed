using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>What is looked at: whether the stacks serve, whether they are whole, and whether nothing else is there.</summary>
internal sealed class StackLook(ChaosScene scene) : IDisposable
{
    private const string Kept = "kept";
    private static readonly TimeSpan Impatience = TimeSpan.FromSeconds(2);
    private static readonly string[] Stacks = [ChaosStacks.Main, ChaosStacks.Other];

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero }) { Timeout = Impatience };
    private ImmutableArray<string> _networks = [];
    private ImmutableArray<string> _volumes = [];

    /// <summary>Remembers what is there now as what there has to be.</summary>
    public async Task RememberAsync(CancellationToken cancellationToken)
    {
        await KeysAsync(["SET", Kept, "yes"], cancellationToken);
        _networks = await NetworksAsync(cancellationToken);
        _volumes = await VolumesAsync(cancellationToken);
    }

    /// <returns>The version that answers; null: nobody, or badly.</returns>
    public async Task<string?> VersionAsync(string stack, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(scene.Daemon.Edge, "/api/gardens")) { Headers = { Host = ChaosStacks.HostOf(stack) } };
        try
        {
            using var answer = await _client.SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode && answer.Headers.TryGetValues("X-Garden-Version", out var versions) ? versions.First() : null;
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <returns>What keeps the stacks from being whole: every replica runs; null: nothing.</returns>
    public async Task<string?> MissingAsync(CancellationToken cancellationToken)
    {
        foreach (var stack in Stacks)
        {
            var status = await scene.Daemon.StatusAsync(stack, cancellationToken);
            if (status.Problem is { } problem) return $"{stack}: {problem}";
            if (status.Services.FirstOrDefault(service => service.ReplicasRunning != service.ReplicasWanted) is { } short_)
                return string.Create(CultureInfo.InvariantCulture, $"{stack}: {short_.ReplicasRunning} of {short_.ReplicasWanted} replicas of {short_.Service} run; {Drift(status)}");
            if (await VersionAsync(stack, cancellationToken) is null) return $"{stack} is not served";
        }

        return null;
    }

    /// <returns>What is not as it should be when nothing goes on any more; null: all is well.</returns>
    public async Task<string?> UnsettledAsync(CancellationToken cancellationToken)
    {
        if (await MissingAsync(cancellationToken) is { } missing) return missing;

        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stack in Stacks)
        {
            var status = await scene.Daemon.StatusAsync(stack, cancellationToken);
            if (Off(status) is { } off) return $"{stack}: {off}";
            if (await VersionAsync(stack, cancellationToken) is var version && version != status.Version) return $"{stack}: {version ?? "nobody"} answers, and the release is {status.Version}";
            known.UnionWith(status.Services.SelectMany(service => service.Containers).Select(container => container.Id));
        }

        return await OrphansAsync(known, cancellationToken) ?? await RecordAsync(cancellationToken) ?? (await KeysAsync(["GET", Kept], cancellationToken) == "yes" ? null : "the data of the stateful service is gone");
    }

    public void Dispose() => _client.Dispose();

    private static string? Off(StackResponse status)
    {
        if (status.Running is { } running) return $"deployment {running.Id} is {running.State}";
        if (status.Last is { State: not ("succeeded" or "rolledBack" or "failed" or "cancelled" or "superseded") } last) return $"deployment {last.Id} is {last.State}";
        if (status.Last?.Steps.FirstOrDefault(step => step.State == "running") is { } step) return $"step {step.Name} of deployment {status.Last.Id} is {step.State}: {step.Detail}";
        if (!status.Drift.IsEmpty) return $"drift: {Drift(status)}";

        var spare = status.Services.SelectMany(service => service.Containers).FirstOrDefault(container => !container.Live && container.Release != status.Warm?.Release);
        return spare is null ? null : $"{spare.Name} ({spare.State}) is of no release that serves or is warm";
    }

    private async Task<string?> OrphansAsync(HashSet<string> known, CancellationToken cancellationToken)
    {
        var containers = await scene.DockerLinesAsync(["ps", "-a", "--format", "{{.ID}} {{.Names}} {{.Status}}"], cancellationToken);
        if (containers.FirstOrDefault(line => !known.Contains(line.Split(' ')[0])) is { } orphan) return $"container {orphan} is nobody's";
        if (containers.Length != known.Count) return $"{containers.Length} containers are there, and {known.Count} on record";

        var networks = await NetworksAsync(cancellationToken);
        if (!networks.SequenceEqual(_networks)) return $"networks are {string.Join(' ', networks)}, and should be {string.Join(' ', _networks)}";

        var volumes = await VolumesAsync(cancellationToken);
        return volumes.SequenceEqual(_volumes) ? null : $"volumes are {string.Join(' ', volumes)}, and should be {string.Join(' ', _volumes)}";
    }

    private async Task<string?> RecordAsync(CancellationToken cancellationToken)
    {
        var doctor = await scene.Daemon.AskAsync((client, token) => client.GetAsync("doctor", ApiJson.Default.DoctorResponse, token), cancellationToken);
        if (doctor.Checks.FirstOrDefault(check => check is { Name: "journal" or "audit log", State: "failed" }) is { } failed) return $"{failed.Name}: {failed.Detail}";

        await using var journal = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = scene.Daemon.Journal, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        await journal.OpenAsync(cancellationToken);
        await using var check = journal.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        return await check.ExecuteScalarAsync(cancellationToken) is "ok" ? null : "the journal's file is not whole";
    }

    private async Task<string> KeysAsync(IEnumerable<string> command, CancellationToken cancellationToken) =>
        (await scene.DockerAsync(["exec", $"{ChaosStacks.Main}-{ChaosStacks.Keys}-1", "redis-cli", .. command], cancellationToken)).Trim();

    private async Task<ImmutableArray<string>> NetworksAsync(CancellationToken cancellationToken) => [.. await scene.DockerLinesAsync(["network", "ls", "--filter", "type=custom", "--format", "{{.Name}}"], cancellationToken)];

    private async Task<ImmutableArray<string>> VolumesAsync(CancellationToken cancellationToken) => [.. await scene.DockerLinesAsync(["volume", "ls", "-q"], cancellationToken)];

    private static string Drift(StackResponse status) => string.Join("; ", status.Drift.Select(drift => $"{drift.Kind} {drift.Subject} ({drift.Detail}): {drift.Outlook}"));
}
