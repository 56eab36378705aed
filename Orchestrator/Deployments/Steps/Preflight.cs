using System.Globalization;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>What would make a deployment fail half-way is looked at before it begins.</summary>
public sealed class Preflight(StackContainers containers, StackTraffic traffic, DeploymentOptions options, TimeProvider time) : IDeploymentStep
{
    public StepKind Kind => StepKind.Preflight;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Deployment.Plan is { WarmSwap: true }) return Conflict(work);      // what it needs runs already

        var engine = await containers.Engine.InfoAsync(cancellationToken);
        work.Detail = $"engine {engine.Version}, API {engine.ApiVersion}";
        return Frozen(work) ?? Refused(work) ?? Unreachable(work) ?? Conflict(work) ?? Disk(engine) ?? Memory(work, engine);
    }

    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    private StepFailure? Frozen(DeploymentWork work) =>
        work.Request.Kind is not (DeploymentKind.Rollback or DeploymentKind.Restore) && !work.Request.Force && options.FreezeWindows.FirstOrDefault(window => window.Contains(time.GetUtcNow())) is { } window
            ? new(FailureReason.FreezeWindow, $"Nothing is deployed from {window.From:HH:mm} to {window.To:HH:mm} ({window.Zone.Id}).", "Wait, or say --force. A rollback is always allowed.")
            : null;

    private StepFailure? Refused(DeploymentWork work)
    {
        if (options.AllowedImages.IsEmpty) return null;
        return work.Wanted.Services.FirstOrDefault(spec => spec.Build is null && !options.AllowedImages.Any(prefix => spec.Image.StartsWith(prefix, StringComparison.Ordinal))) is { } refused
            ? new(FailureReason.ImagePolicy, $"The image {refused.Image} of {refused.Name} is not among the allowed ones.", $"Allowed prefixes: {string.Join(", ", options.AllowedImages)} (allowed_images in agent.yml).")
            : null;
    }

    /// <summary>A routed service whose port cannot be told would only fail at the gate; with an image that is not here yet the gate still tells.</summary>
    private static StepFailure? Unreachable(DeploymentWork work) =>
        work.Wanted.Services.FirstOrDefault(spec => spec.BasMalin?.Route is { Port: 0 } && spec.Ports.Select(port => port.ContainerPort).Distinct().Count() > 1) is { } spec
            ? new(FailureReason.InvalidRequest, $"{spec.Name} publishes several ports, so it cannot be told which one its route leads to.", "Name it: x-basmalin: { route: { port: … } }.")
            : null;

    private StepFailure? Conflict(DeploymentWork work) =>
        work.Target is { } target && traffic.FindConflict(target) is { } conflict
            ? new(FailureReason.RouteConflict, $"{conflict}", "Change the host or path, or remove the other stack. Nothing was changed.")
            : null;

    private StepFailure? Disk(EngineInfo engine)
    {
        if (HostResources.DiskOf(engine.RootDirectory) is not { } disk) return null;

        var floor = Math.Max((long)(disk.Total * options.DiskFloorRatio), options.DiskFloorBytes);
        return disk.Free >= floor ? null : new(
            FailureReason.NotEnoughDisk, $"{Size(disk.Free)} are free on the disk of {engine.RootDirectory}, {Size(floor)} are the floor.", "Free space (docker image prune), or lower preflight.disk_floor in agent.yml.");
    }

    private static StepFailure? Memory(DeploymentWork work, EngineInfo engine)
    {
        var needed = work.Coloured.Sum(item => item.Spec.Replicas * Needs(item.Spec));
        var available = HostResources.AvailableMemory();
        return needed == 0 || available is null || available >= needed ? null : new(
            FailureReason.NotEnoughMemory,
            $"Both colours beside each other need {Size(needed)} more, {Size(available.Value)} of {Size(engine.Memory)} are available.",
            "Lower the reservations or the replicas, or give the host more memory.");
    }

    private static long Needs(ServiceSpec spec) => spec.Container.Resources.MemoryReservation ?? 0;

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GiB");
}
