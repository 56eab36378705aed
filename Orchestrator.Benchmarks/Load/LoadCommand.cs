using System.CommandLine;
using System.CommandLine.Parsing;
using Orchestrator.Tests.Load;

namespace Orchestrator.Benchmarks.Load;

/// <summary><c>load</c>: users at a fixed rate, until the time is over or somebody says stop.</summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        var url = new Option<Uri?>("--url") { Description = "Where to, e.g. http://127.0.0.1:8080", Required = true, CustomParser = Address };
        var host = new Option<string?>("--host") { Description = "The Host header; left out: the address" };
        var rate = new Option<double>("--rate") { Description = "Arrivals per second", DefaultValueFactory = _ => 100 };
        var seconds = new Option<double>("--seconds") { Description = "For how long; a signal ends it earlier", DefaultValueFactory = _ => 30 };
        var webSocket = new Option<string?>("--websocket") { Description = "Path of a WebSocket that echoes, kept open all the time" };
        var events = new Option<string?>("--events") { Description = "Path of an event stream, kept open all the time" };
        var report = new Option<FileInfo?>("--report") { Description = "A file for the report as JSON, replaced every second and at the end" };
        var json = new Option<bool>("--json") { Description = "The report as JSON" };
        var verb = new Command("load", "Open-loop load of GETs, POSTs, slow answers and new connections. Exit code 0: nothing failed; 1: something did, or nothing was sent.")
        {
            url, host, rate, seconds, webSocket, events, report, json,
        };
        Positive(rate);
        Positive(seconds);
        verb.SetAction((parsed, cancellationToken) =>
        {
            var options = new LoadOptions
            {
                Address = parsed.GetValue(url) ?? throw new InvalidOperationException("--url was not read."),
                Host = parsed.GetValue(host),
                Rate = parsed.GetValue(rate),
                WebSocketPath = parsed.GetValue(webSocket),
                EventsPath = parsed.GetValue(events),
            };
            return new LoadRun(options, TimeSpan.FromSeconds(parsed.GetValue(seconds)), TimeProvider.System) { Report = parsed.GetValue(report), Json = parsed.GetValue(json) }
                .RunAsync(cancellationToken);
        });
        return verb;
    }

    private static Uri? Address(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens.Single().Value, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttp)
            return address;

        result.AddError("--url must be like http://127.0.0.1:8080");
        return null;
    }

    private static void Positive(Option<double> option) => option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<double>() is not (> 0 and < 1_000_000))
            result.AddError($"{option.Name} must be a positive number.");
    });
}
