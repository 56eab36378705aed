using System.Globalization;

namespace Orchestrator.Stacks.Parsing;

/// <summary>
/// <c>deploy</c>, and the older keys of the service that say the same (<c>mem_limit</c>, <c>cpus</c>, <c>restart</c>, …). What is said in both places must agree.
/// </summary>
internal sealed class DeploySection
{
    public const int MostReplicas = 100;

    public int Replicas { get; private set; } = 1;

    public RestartPolicy Restart { get; private set; } = new("no", 0);

    public ResourceLimits Resources { get; private set; } = new();

    public static DeploySection Read(Section service)
    {
        var deploy = new DeploySection();
        RestartPolicy? policy = null;
        var older = Older(service);
        var newer = new ResourceLimits();
        if (service.Take("deploy") is { } field && field.Section("a mapping") is { } section)
        {
            deploy.Replicas = (int?)section.Take("replicas")?.Whole(0, MostReplicas) ?? 1;
            if (section.Take("mode") is { } mode) Mode(mode);
            if (section.Take("resources") is { } resources) newer = Limits(resources);
            if (section.Take("restart_policy") is { } restart) policy = Policy(restart);
            if (section.Take("labels") is { } labels)
            {
                labels.Labels();
                labels.Note("labels under deploy are those of a Swarm service: containers do not get them", "labels of the service itself go onto its containers");
            }

            section.Finish(UnsupportedKeys.Deploy);
        }

        if (service.Take("restart") is { } word)
        {
            if (policy is not null) word.Error("restart and deploy.restart_policy both say what happens after an exit", "keep one of them");
            policy = Restarting(word);
        }

        deploy.Restart = policy ?? deploy.Restart;
        deploy.Resources = Agreed(service, older, newer);
        return deploy;
    }

    private static void Mode(Field field)
    {
        if (field.NonEmpty("a mode") is not ({ } mode and not "replicated")) return;

        field.Error($"the mode '{mode}' is not supported", "remove it: there is one engine, and a job is a service that others depend on with service_completed_successfully");
    }

    private static RestartPolicy? Restarting(Field field)
    {
        const string expected = "no, always, unless-stopped, on-failure or on-failure:N";
        if (field.NonEmpty(expected) is not { } text) return null;
        if (text is "no" or "always" or "unless-stopped" or "on-failure") return new RestartPolicy(text, 0);
        if (text.StartsWith("on-failure:", StringComparison.Ordinal)
            && int.TryParse(text.AsSpan("on-failure:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var retries))
            return new RestartPolicy("on-failure", retries);

        var near = Values.Nearest.To(text, ["no", "always", "unless-stopped", "on-failure"]);
        field.Expected(expected, near is null ? null : $"did you mean '{near}'?");
        return null;
    }

    private static RestartPolicy? Policy(Field field)
    {
        if (field.Section("a restart policy") is not { } section) return null;

        var condition = section.Take("condition")?.OneOf("a condition", "none", "on-failure", "any") ?? "any";
        var attempts = (int?)section.Take("max_attempts")?.Whole(0, int.MaxValue) ?? 0;
        foreach (var key in new[] { "delay", "window" })
        {
            if (section.Take(key) is { } timing && timing.Duration() is not null)
                timing.Note($"{key} has no effect: the engine waits twice as long after each exit, from 100 ms");
        }

        section.Finish();
        if (condition == "any" && attempts > 0)
            section.Error("max_attempts goes with condition: on-failure only", "the engine counts attempts after failures, not after every exit");
        return condition switch
        {
            "none" => new RestartPolicy("no", 0),
            "on-failure" => new RestartPolicy("on-failure", attempts),
            _ => new RestartPolicy("always", 0),
        };
    }

    private static ResourceLimits Limits(Field field)
    {
        var limits = new ResourceLimits();
        if (field.Section("limits and reservations") is not { } section) return limits;

        if (section.Take("limits") is { } upper && upper.Section("limits") is { } most)
        {
            limits = limits with { Cpus = Cpus(most.Take("cpus")), Memory = most.Take("memory")?.Bytes(), Pids = Pids(most.Take("pids")) };
            most.Finish();
        }

        if (section.Take("reservations") is { } lower && lower.Section("reservations") is { } least)
        {
            limits = limits with { MemoryReservation = least.Take("memory")?.Bytes() };
            if (least.Take("cpus") is { } cpus && Cpus(cpus) is not null)
                cpus.Note("a reservation of CPUs has no effect: one engine has no scheduler that could keep them free");
            least.Finish(UnsupportedKeys.Reservations);
        }

        section.Finish();
        return limits;
    }

    private static ResourceLimits Older(Section service) => new()
    {
        Memory = service.Take("mem_limit")?.Bytes(),
        MemoryReservation = service.Take("mem_reservation")?.Bytes(),
        Cpus = Cpus(service.Take("cpus")),
        Pids = Pids(service.Take("pids_limit")),
        ShmSize = service.Take("shm_size")?.Bytes(),
    };

    private static decimal? Cpus(Field? field) => field?.Number(0, 1024, "a number of cores above 0, e.g. 0.5");

    /// <summary>-1 is how the engine writes "no limit".</summary>
    private static long? Pids(Field? field) => field?.Whole(-1, int.MaxValue) is { } pids and > 0 ? pids : null;

    private static ResourceLimits Agreed(Section service, ResourceLimits older, ResourceLimits newer)
    {
        Differ(service, "mem_limit", "deploy.resources.limits.memory", older.Memory, newer.Memory);
        Differ(service, "mem_reservation", "deploy.resources.reservations.memory", older.MemoryReservation, newer.MemoryReservation);
        Differ(service, "cpus", "deploy.resources.limits.cpus", older.Cpus, newer.Cpus);
        Differ(service, "pids_limit", "deploy.resources.limits.pids", older.Pids, newer.Pids);
        var agreed = new ResourceLimits
        {
            Memory = newer.Memory ?? older.Memory,
            MemoryReservation = newer.MemoryReservation ?? older.MemoryReservation,
            Cpus = newer.Cpus ?? older.Cpus,
            Pids = newer.Pids ?? older.Pids,
            ShmSize = older.ShmSize,
        };
        if (agreed.MemoryReservation > agreed.Memory)
        {
            var key = older.MemoryReservation is null ? "deploy.resources.reservations.memory" : "mem_reservation";
            service.Reading.Error($"{service.Path}.{key}", "the reservation of memory is larger than its limit");
        }

        return agreed;
    }

    private static void Differ<T>(Section service, string older, string newer, T? first, T? second)
        where T : struct, IEquatable<T>
    {
        if (first is { } one && second is { } other && !one.Equals(other))
            service.Reading.Error($"{service.Path}.{older}", $"{older} and {newer} say different things", "keep one of them");
    }
}
