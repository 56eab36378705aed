using System.CommandLine;
using System.Globalization;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>
/// <c>serve</c>: one of the servers that are measured, in a process of its own. It says <c>ready PORT</c>, answers <c>allocated</c> with the bytes
/// that it has allocated so far, and ends when its standard input does: with whoever started it.
/// </summary>
internal static class ServeCommand
{
    public const string Backend = "backend";
    public const string ApplicationForwarder = "forwarder-application";
    public const string KestrelForwarder = "forwarder-kestrel";
    public const string Edge = "edge";
    public const string Ready = "ready ";
    public const string Allocated = "allocated";

    public static Command Create()
    {
        var kind = new Argument<string>("kind");
        var backend = new Option<int>("--backend");
        var stacks = new Option<int>("--stacks") { DefaultValueFactory = _ => 1 };
        kind.AcceptOnlyFromAmong(Backend, ApplicationForwarder, KestrelForwarder, Edge);
        var verb = new Command("serve", "A server to be measured; used by the benchmarks themselves.") { kind, backend, stacks };
        verb.Hidden = true;
        verb.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(kind) ?? Backend, parsed.GetValue(backend), parsed.GetValue(stacks), cancellationToken));
        return verb;
    }

    private static async Task<int> RunAsync(string kind, int backend, int stacks, CancellationToken cancellationToken)
    {
        var destination = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{backend}/");
        var port = kind switch
        {
            ApplicationForwarder => await BareForwarder.StartInApplicationAsync(destination),
            KestrelForwarder => await BareForwarder.StartOnKestrelAsync(destination),
            Edge => await OwnEdge.StartAsync(backend, stacks),
            _ => await SmallBackend.StartAsync(),
        };
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Ready}{port}"));
        while (await Console.In.ReadLineAsync(cancellationToken) is { } question)
        {
            if (question == Allocated)
                Console.Out.WriteLine(GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture));
        }

        return 0;
    }
}
