using System.CommandLine;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>Waits for a backup, drill or restore, and shows how far it is.</summary>
internal static class OperationWatch
{
    public static readonly Option<bool> Detach = new("--detach", "-d") { Description = "Do not wait for the end." };

    /// <param name="succeeded">Says what it came to, for people.</param>
    public static async Task<int> FollowAsync(Invocation call, OperationResponse begun, Func<OperationResponse, Task> succeeded, CancellationToken cancellationToken)
    {
        if (call.Value(Detach))
        {
            call.Write(begun, ApiJson.Readable.OperationResponse, (text, operation) => text.WriteLine($"{operation.Kind} of {operation.Stack} is operation {operation.Id}: {operation.What}"));
            return ExitCodes.Done;
        }

        var last = begun;
        try
        {
            var shown = "";
            var path = string.Create(CultureInfo.InvariantCulture, $"operations/{begun.Id}/events");
            await foreach (var now in call.Client.EventsAsync(path, ApiJson.Default.OperationResponse, cancellationToken))
            {
                last = now;
                if (!call.Json) shown = Show(call, now, shown);
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new CliFailure(ExitCodes.Failed, "the connection to the daemon was cut", exception.Message, $"what came of it: basmalin backup list {begun.Stack}");
        }

        if (call.Json) call.WriteJson(last, ApiJson.Readable.OperationResponse);
        if (call.Host.Terminal && !call.Json) call.Host.Out.WriteLine();
        if (last.State == "succeeded")
        {
            if (!call.Json) await succeeded(last);
            return ExitCodes.Done;
        }

        if (last.State != "failed") throw new CliFailure(ExitCodes.Failed, "the daemon stopped meanwhile", null, $"what comes of it: basmalin backup list {begun.Stack}");
        if (!call.Json) throw new CliFailure(ExitCodes.Failed, $"the {last.Kind} of {last.Stack} failed", last.Problem, last.Hint);
        return ExitCodes.Failed;
    }

    private static string Show(Invocation call, OperationResponse now, string shown)
    {
        var line = $"  {now.What}{Progress(now)}";
        if (call.Host.Terminal) call.Host.Out.Write($"\r{line,-100}");
        else if (now.What != shown) call.Host.Out.WriteLine($"  {now.What}");
        return now.What;
    }

    private static string Progress(OperationResponse now)
    {
        if (now.Bytes == 0) return "";
        var of = now.Of is { } all ? $" of {Words.Bytes(all)}" : "";
        var left = now.LeftSeconds is { } seconds ? $", {Words.Took(TimeSpan.FromSeconds(seconds))} left" : "";
        return $"  {Words.Bytes(now.Bytes)}{of}, {Words.Bytes((long)now.Rate)}/s{left}";
    }
}
