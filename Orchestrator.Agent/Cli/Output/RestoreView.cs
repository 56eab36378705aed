using System.Globalization;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class RestoreView
{
    public static void Write(TextWriter output, RestorePreviewResponse preview)
    {
        output.WriteLine($"{preview.Stack} goes to {preview.Point}");
        if (preview.Release is { } release) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"together with release {release}"));
        foreach (var service in preview.Services)
        {
            if (service.Problem is { } problem) output.WriteLine($"  {service.Service}: {problem}");
            else if (service.Changes.IsEmpty) output.WriteLine($"  {service.Service}: holds now what it held then");
            foreach (var change in service.Changes) output.WriteLine($"  {service.Service}: {change.What}: {Line(change)}");
        }

        foreach (var (key, volume) in preview.Volumes) output.WriteLine($"  volume {key} ({volume}) is replaced and kept for the undo");
        var forecast = preview.ForecastSeconds is { } seconds ? $", about {Words.Took(TimeSpan.FromSeconds(seconds))} as the last drill says" : "";
        output.WriteLine($"  {Words.Bytes(preview.Bytes)} to fetch{forecast}");
        foreach (var note in preview.Notes) output.WriteLine($"  note: {note}");
    }

    private static string Line(ContentChangeResponse change) => (change.Now, change.Then, change.Difference) switch
    {
        (null, { } then, _) => string.Create(CultureInfo.InvariantCulture, $"is not there now, {then} come back"),
        ({ } now, null, _) => string.Create(CultureInfo.InvariantCulture, $"was not there then, {now} would be lost"),
        ({ } now, { } then, > 0) => string.Create(CultureInfo.InvariantCulture, $"{now} now, {then} then: {then - now} come back"),
        ({ } now, { } then, < 0) => string.Create(CultureInfo.InvariantCulture, $"{now} now, {then} then: {now - then} would be lost"),
        ({ } now, _, _) => string.Create(CultureInfo.InvariantCulture, $"{now} now as then, with other content"),
        _ => "has other content",
    };
}
