using Orchestrator.Agent.Api.Contracts;
using Spectre.Console;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>Steps as a table that fills while one looks.</summary>
internal static class LiveProgress
{
    public static async Task<DeploymentResponse> RunAsync(CliHost host, Func<Action<DeploymentEventResponse>, Task<DeploymentResponse>> watch)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(host.Out),
            ColorSystem = host.Environment.GetValueOrDefault("NO_COLOR") is { Length: > 0 } ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        });
        DeploymentResponse? last = null;
        await console.Live(new Markup("waiting")).StartAsync(async context => last = await watch(item =>
        {
            context.UpdateTarget(Table(item, host.Time.GetUtcNow()));
            context.Refresh();
        }));
        return last ?? throw new InvalidOperationException("The watch ended without a deployment.");
    }

    private static Table Table(DeploymentEventResponse item, DateTimeOffset now)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders();
        table.AddColumn(new TableColumn("").NoWrap());
        table.AddColumn(new TableColumn("").NoWrap());
        table.AddColumn(new TableColumn("").NoWrap().RightAligned());
        table.AddColumn(new TableColumn(""));
        foreach (var step in item.Deployment.Steps)
        {
            var message = step.State == "running" && step.Name == item.Step ? item.Message : step.Detail;
            table.AddRow(Sign(step.State), Markup.Escape(step.Name), Words.Took(step.StartedAt, step.EndedAt ?? now), Markup.Escape(FirstLine(message)));
        }

        if (item.Deployment.Steps.IsEmpty) table.AddRow("[grey]…[/]", item.Deployment.State, "", "");
        return table;
    }

    private static string Sign(string state) => state switch
    {
        "succeeded" => "[green]✓[/]",
        "skipped" => "[grey]-[/]",
        "failed" => "[red]✗[/]",
        "undone" => "[yellow]↺[/]",
        "undoFailed" => "[red]![/]",
        _ => "[blue]…[/]",
    };

    private static string FirstLine(string? text) => text is null ? "" : text.Split('\n')[0];
}
