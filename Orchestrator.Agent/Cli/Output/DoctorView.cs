using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class DoctorView
{
    public static void Write(TextWriter output, DoctorResponse report)
    {
        foreach (var check in report.Checks)
        {
            output.WriteLine($"{check.State,-8} {check.Name}: {check.Detail}");
            if (check.Hint is { } hint) output.WriteLine($"         hint: {hint}");
        }
    }
}
