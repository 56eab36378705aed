using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>A plan as a readable diff.</summary>
internal static class PlanView
{
    public static void Write(TextWriter output, PlanResponse plan)
    {
        output.WriteLine($"{plan.Stack}:");
        output.Write(plan.Text);
    }
}
