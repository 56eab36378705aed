using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>Stacks as tables.</summary>
internal static class StatusView
{
    public static void WriteAll(TextWriter output, StackResponse[] stacks)
    {
        if (stacks.Length == 0)
        {
            output.WriteLine("no stacks yet; start one with: basmalin apply FILE");
            return;
        }

        TextTable.Write(output, ["STACK", "RELEASE", "VERSION", "SERVICES", "HEALTH", "NOW"], stacks.Select(stack => new[]
        {
            stack.Stack,
            stack.Release == 0 ? "-" : $"{stack.Release}",
            stack.Version ?? "-",
            $"{stack.Services.Length}",
            stack.Problem is not null ? "problem" : Worst(stack),
            Now(stack),
        }));
        // What is the same for all of them, such as a key, is said once.
        foreach (var warning in stacks.SelectMany(stack => stack.Warnings.Select(warning => (stack.Stack, Warning: warning))).GroupBy(item => item.Warning))
            WriteWarning(output, warning.Key, $"{string.Join(", ", warning.Select(item => item.Stack))}: ");
    }

    public static void Write(TextWriter output, StackResponse stack, DateTimeOffset now)
    {
        output.WriteLine($"{stack.Stack}: {(stack.Release == 0 ? "nothing committed yet" : $"release {stack.Release}")}{(stack.Version is null ? "" : $" ({stack.Version})")}{(stack.Maintenance ? ", in maintenance" : "")}");
        if (stack.Problem is { } problem) output.WriteLine($"problem: {problem}");
        WriteDrift(output, stack);
        foreach (var warning in stack.Warnings) WriteWarning(output, warning, "");
        output.WriteLine();
        TextTable.Write(output, ["SERVICE", "ROLE", "COLOUR", "RELEASE", "REPLICAS", "HEALTH", "IMAGE", "ROUTES"], stack.Services.Select(service => new[]
        {
            service.Service,
            service.Role,
            service.Colour ?? "-",
            $"{service.Release}",
            $"{service.ReplicasRunning}/{service.ReplicasWanted}",
            service.Health,
            service.Image,
            string.Join(" ", service.Routes),
        }));
        foreach (var service in stack.Services.Where(service => service.PausedUntil is not null)) output.WriteLine($"\n{service.Service}: {Paused(service)}");
        if (stack.Warm is { } warm) output.WriteLine($"\nrelease {warm.Release} is kept warm until {warm.Until:u} ({string.Join(", ", warm.Services)}): basmalin rollback {stack.Stack} is a swap");
        if (stack.Running is { } running) output.WriteLine($"\nrunning: deployment {running.Id}, {running.Kind} at {running.Steps.LastOrDefault()?.Name ?? "the queue"}");
        if (stack.Last is { } last) output.WriteLine($"\nlast: deployment {last.Id} {last.State} {Words.Ago(last.EndedAt ?? last.CreatedAt, now)}");
    }

    /// <summary>In what it differs from its release.</summary>
    public static void WriteDrift(TextWriter output, StackResponse stack)
    {
        foreach (var drift in stack.Drift)
        {
            output.WriteLine($"{drift.Kind}: {drift.Subject}: {drift.Detail.ReplaceLineEndings("\n  ")}");
            output.WriteLine($"  → {drift.Outlook}");
        }
    }

    private static void WriteWarning(TextWriter output, WarningResponse warning, string of)
    {
        output.WriteLine($"backups: {of}{warning.What}");
        output.WriteLine($"  → {warning.Hint}");
    }

    /// <returns>Null: its requests pass.</returns>
    public static string? Paused(ServiceResponse service) => service.PausedUntil is { } until ? $"paused until {until:u}, requests wait" : null;

    private static string Now(StackResponse stack) =>
        stack.Running is { } running ? $"deployment {running.Id} running" : stack.Drift.Length > 0 ? $"differs from its release ({stack.Drift.Length})" : stack.Maintenance ? "maintenance" : stack.Last is { } last ? $"deployment {last.Id} {last.State}" : "-";

    private static string Worst(StackResponse stack)
    {
        string[] order = ["unhealthy", "stopped", "starting", "running", "healthy"];
        return stack.Services.Select(service => service.Health).OrderBy(health => Array.IndexOf(order, health)).FirstOrDefault() ?? "-";
    }
}
