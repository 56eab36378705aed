using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Traffic;

namespace Orchestrator.Agent.Api;

/// <summary>Looks at what the daemon stands on: engine, disk, memory, journal, audit log, listeners, certificates, backups.</summary>
internal sealed class Doctor(IContainerEngine engine, IJournal journal, AuditLog audit, EdgeServer edge, DeploymentOptions options, FurtherChecks further)
{
    private const long LittleMemory = 256L << 20;
    private const long Gibi = 1L << 30;

    public async Task<DoctorResponse> ExamineAsync(CancellationToken cancellationToken)
    {
        var checks = ImmutableArray.CreateBuilder<DoctorCheckResponse>();
        checks.AddRange(await EngineAsync(cancellationToken));
        checks.Add(Memory());
        checks.AddRange(await JournalAsync(cancellationToken));
        checks.Add(await AuditAsync(cancellationToken));
        checks.Add(edge.Addresses.IsEmpty
            ? new DoctorCheckResponse("edge", "warning", "no main listener is configured", "set edge.http; published ports work without it")
            : new DoctorCheckResponse("edge", "ok", $"listens on {string.Join(", ", edge.Addresses.Concat(edge.SecureAddresses))}", null));
        checks.AddRange(await further.ExamineAsync(cancellationToken));
        return new DoctorResponse(checks.All(check => check.State != "failed"), checks.ToImmutable());
    }

    private async Task<ImmutableArray<DoctorCheckResponse>> EngineAsync(CancellationToken cancellationToken)
    {
        try
        {
            var info = await engine.InfoAsync(cancellationToken);
            return
            [
                new DoctorCheckResponse("engine", "ok", $"Docker {info.Version}, API {info.ApiVersion}, {info.OperatingSystem}, {info.Architecture}", null),
                info.LiveRestore
                    ? new DoctorCheckResponse("live restore", "ok", "containers outlive a restart of the engine", null)
                    : new DoctorCheckResponse("live restore", "warning", "a restart of the engine stops every container", "set \"live-restore\": true in /etc/docker/daemon.json"),
                Disk(info.RootDirectory),
            ];
        }
        catch (EngineException exception)
        {
            return [new DoctorCheckResponse("engine", "failed", exception.Message, "is Docker running, and does docker.endpoint in agent.yml point to it?")];
        }
    }

    private DoctorCheckResponse Disk(string directory)
    {
        if (HostResources.DiskOf(directory) is not { } disk) return new DoctorCheckResponse("disk", "warning", $"{directory} cannot be seen from here", null);

        var floor = Math.Max((long)(disk.Total * options.DiskFloorRatio), options.DiskFloorBytes);
        var detail = string.Create(CultureInfo.InvariantCulture, $"{disk.Free / (double)Gibi:0.0} of {disk.Total / (double)Gibi:0.0} GiB free at {directory}; deployments need {floor / (double)Gibi:0.0} GiB");
        return disk.Free >= floor
            ? new DoctorCheckResponse("disk", "ok", detail, null)
            : new DoctorCheckResponse("disk", "failed", detail, "remove what nobody needs: docker system df, docker image prune");
    }

    private static DoctorCheckResponse Memory()
    {
        if (HostResources.AvailableMemory() is not { } available) return new DoctorCheckResponse("memory", "warning", "the system does not say how much is free", null);

        var detail = string.Create(CultureInfo.InvariantCulture, $"{available / (double)Gibi:0.0} GiB available");
        return available >= LittleMemory
            ? new DoctorCheckResponse("memory", "ok", detail, null)
            : new DoctorCheckResponse("memory", "failed", detail, "two colours run beside each other for a moment: they need room");
    }

    private async Task<IEnumerable<DoctorCheckResponse>> JournalAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (journal.Health.Damage is { } damage)
                return [new DoctorCheckResponse("journal", "failed", $"{damage.Problem}; served from {damage.ServedFrom}", "basmalin doctor --repair")];
            if (journal.Health.FullProblem is { } full)
                return [new DoctorCheckResponse("journal", "failed", full, "free space on its disk; traffic goes on meanwhile")];

            var damaged = await journal.DamagedStacksAsync(cancellationToken);
            var history = (await journal.DamagedDeploymentsAsync(cancellationToken)).Where(one => !one.Unfinished).Select(one => (one.Stack, one.Problem)).ToList();
            if (!damaged.IsEmpty || history.Count > 0) return damaged.Concat(history).Select(stack => new DoctorCheckResponse("journal", "failed", $"stack {stack.Stack}: {stack.Problem}", "basmalin doctor --repair"));

            var stacks = await journal.ListStacksAsync(cancellationToken);
            var copied = journal.Health.LastBackup is { } last ? string.Create(CultureInfo.InvariantCulture, $"copied and checked at {last:yyyy-MM-dd HH:mm:ss}Z") : "not copied since the start";
            return [new DoctorCheckResponse("journal", "ok", $"{stacks.Length} stacks on record; {copied}", null)];
        }
        catch (JournalException exception)
        {
            return [new DoctorCheckResponse("journal", "failed", exception.Message, "see the daemon's log")];
        }
    }

    private async Task<DoctorCheckResponse> AuditAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await audit.VerifyAsync(cancellationToken) is { } broken
                ? new DoctorCheckResponse("audit log", "failed", string.Create(CultureInfo.InvariantCulture, $"entry {broken} does not fit the one before it"), "somebody has changed the journal's file")
                : new DoctorCheckResponse("audit log", "ok", "every entry fits the one before it", null);
        }
        catch (JournalException exception)
        {
            return new DoctorCheckResponse("audit log", "failed", exception.Message, "see the daemon's log");
        }
    }
}
