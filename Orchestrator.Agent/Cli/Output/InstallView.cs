using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>What was laid down, and what came of an upgrade.</summary>
internal static class InstallView
{
    public static void Write(TextWriter text, InstallResponse report)
    {
        var width = report.Steps.Max(step => step.What.Length);
        foreach (var step in report.Steps) text.WriteLine($"  {step.What.PadRight(width)}  {step.Outcome}");
    }

    public static void Write(TextWriter text, UpgradeResponse report)
    {
        text.WriteLine(report.Outcome switch
        {
            "same" => $"{report.From} is what is installed already; nothing was done",
            "upgraded" => $"upgraded to {report.To}; {report.From} is kept as basmalin.previous",
            "wentBack" => $"{report.To} is not well; {report.From} runs again, and nothing was lost",
            _ => $"neither {report.To} nor {report.From} is well: journalctl -u basmalin -o cat",
        });
        if (report.Reason is { } reason) text.WriteLine($"  {reason.ReplaceLineEndings("\n  ")}");
    }
}
