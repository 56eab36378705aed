using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli;

/// <summary>One run of a verb: its arguments, its surroundings and the daemon it talks to.</summary>
internal sealed class Invocation(ParseResult parsed, CliHost host) : IDisposable
{
    private AgentClient? _client;

    public CliHost Host { get; } = host;

    public bool Json { get; } = parsed.GetValue(GlobalOptions.Json);

    /// <summary>Made when it is first needed: checks of files work without a daemon.</summary>
    public AgentClient Client => _client ??= Connect();

    /// <summary>A verb: its action gets an invocation, and its failures become a message and an exit code.</summary>
    public static Command Verb(CliHost host, string name, string description, Action<Command> shape, Func<Invocation, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        shape(command);
        command.SetAction((parsed, cancellationToken) => Guarded(new Invocation(parsed, host), run, cancellationToken));
        return command;
    }

    public T Value<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    /// <summary>An argument that may be left out.</summary>
    public string? Optional(Argument<string?> argument) => parsed.GetValue(argument);

    public T? Value<T>(Option<T> option) => parsed.GetValue(option);

    public void WriteJson<T>(T value, JsonTypeInfo<T> type) => Host.Out.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>One of both: JSON for scripts, or text for people.</summary>
    public void Write<T>(T value, JsonTypeInfo<T> type, Action<TextWriter, T> text)
    {
        if (Json) WriteJson(value, type);
        else text(Host.Out, value);
    }

    /// <summary>A remark that is not the result.</summary>
    public void Say(string text)
    {
        if (!Json) Host.Out.WriteLine(text);
    }

    public void Dispose() => _client?.Dispose();

    private static async Task<int> Guarded(Invocation call, Func<Invocation, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        using (call)
        {
            try
            {
                return await run(call, cancellationToken);
            }
            catch (CliFailure failure)
            {
                return call.Report(failure);
            }
            catch (JsonException unknown)
            {
                return call.Report(new CliFailure(
                    ExitCodes.Failed, "the daemon's answer is not understood", unknown.Message, "are daemon and command of one version? basmalin --version, basmalin doctor"));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await call.Host.Error.WriteLineAsync("interrupted");
                return ExitCodes.Failed;
            }
        }
    }

    private int Report(CliFailure failure)
    {
        if (Json)
        {
            WriteJson(
                failure.Problem ?? new ProblemResponse { Title = failure.Message, Status = 0, Detail = failure.Why, Reason = failure.ExitCode == ExitCodes.Usage ? "usage" : "failed", Hint = failure.Hint },
                ApiJson.Readable.ProblemResponse);
        }

        Host.Error.WriteLine($"error: {failure.Message}");
        foreach (var error in failure.Problem?.Errors ?? [])
        {
            var key = error.Key.Length == 0 ? "" : $"{error.Key}: ";
            Host.Error.WriteLine($"  {error.File}:{error.Line}:{error.Column}: {key}{error.Message}{(error.Hint is null ? "" : $" ({error.Hint})")}");
        }

        if (failure.Why is { Length: > 0 } why) Host.Error.WriteLine($"  why:  {Indented(why)}");
        if (failure.Hint is { Length: > 0 } hint) Host.Error.WriteLine($"  hint: {Indented(hint)}");
        return failure.ExitCode;
    }

    private static string Indented(string text) => text.TrimEnd().ReplaceLineEndings("\n        ");

    private AgentClient Connect() => AgentClient.Create(
        parsed.GetValue(GlobalOptions.Url) ?? Variable("BASMALIN_URL"),
        parsed.GetValue(GlobalOptions.Token) ?? Variable("BASMALIN_TOKEN"),
        parsed.GetValue(GlobalOptions.Socket) ?? Variable("BASMALIN_SOCKET"),
        namedSocket: parsed.GetValue(GlobalOptions.Socket) is not null);

    private string? Variable(string name) => Host.Environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
}
