using System.Collections.Immutable;
using GardenApp.Telemetry;

namespace GardenApp.Insights;

/// <summary>Asks the configured provider, and falls back to the rules when a model does not answer: advice is never refused.</summary>
internal sealed partial class Adviser
{
    private const string Rules = "rules";

    private readonly ModelClient _model;
    private readonly GardenMetrics _metrics;
    private readonly ILogger<Adviser> _logger;

    public Adviser(ModelClient model, GardenMetrics metrics, ILogger<Adviser> logger)
    {
        _model = model;
        _metrics = metrics;
        _logger = logger;
    }

    /// <summary>The findings, and who made them.</summary>
    internal async Task<(string Provider, ImmutableArray<Finding> Findings)> AdviseAsync(GardenSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (_model.Dialect is { Name: var name })
        {
            var answer = await _model.AskAsync(InsightQuestion.About(snapshot), cancellationToken);
            _metrics.Insights.WithLabels("advice", name, answer.Text is null ? "false" : "true").Inc();
            if (answer.Text is { } text) return (name, [new Finding("advice", "info", text)]);
            LogFellBack(name, answer.Failure ?? "");
        }

        var findings = InsightRules.Evaluate(snapshot);
        foreach (var finding in findings) _metrics.Insights.WithLabels(finding.InsightType, Rules, "true").Inc();
        return (Rules, findings);
    }

    [LoggerMessage(EventId = 1920, Level = LogLevel.Warning, Message = "{Provider} gave no insight ({Failure}); the rules answer instead")]
    private partial void LogFellBack(string provider, string failure);
}
