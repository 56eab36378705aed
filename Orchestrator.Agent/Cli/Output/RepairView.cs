using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class RepairView
{
    public static void Write(TextWriter output, RepairResponse report)
    {
        if (!report.Needed) output.WriteLine("The journal is whole: there is nothing to repair.");
        foreach (var step in report.Steps) output.WriteLine($"{(report.Done ? "done    " : "would   ")} {step}");
        foreach (var lost in report.Lost) output.WriteLine($"lost     {lost}");
    }
}
