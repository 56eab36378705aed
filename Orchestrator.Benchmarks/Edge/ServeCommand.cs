using System.CommandLine;
using System.Globalization;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>
/// <c>serve</c>: one of the servers that are measured, in a process of its own. It says <c>ready PORT TLS-PORT</c>, answers <c>allocated</c> with the bytes
/// that it has allocated so far (<c>settled</c> too, after a full collection), <c>swap</c> with how many requests the swap has cut off, and ends when its standard input does: with whoever started it.
/// </summary>
internal static class ServeCommand
{
    public const string Backend = "backend";
    public const string ApplicationForwarder = "forwarder-application";
    public const string KestrelForwarder = "forwarder-kestrel";
    public const string Edge = "edge";
    public const string Ready = "ready ";
    public const string Allocated = "allocated";
    public const string Settled = "settled";
    public const string Swap = "swap";

    public static Command Create()
    {
        var kind = new Argument<string>("kind");
        var backend = new Option<int>("--backend");
        var stacks = new Option<int>("--stacks") { DefaultValueFactory = _ => 1 };
        var certificates = new Option<string?>("--certificates");
        kind.AcceptOnlyFromAmong(Backend, ApplicationForwarder, KestrelForwarder, Edge);
        var verb = new Command("serve", "A server to be measured; used by the benchmarks themselves.") { kind, backend, stacks, certificates };
        verb.Hidden = true;
        verb.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetValue(kind) ?? Backend, parsed.GetValue(backend), parsed.GetValue(stacks), parsed.GetValue(certificates) is { } directory ? new(directory) : null, cancellationToken));
        return verb;
    }

    private static async Task<int> RunAsync(string kind, int backend, int stacks, BenchCertificate? certificate, CancellationToken cancellationToken)
    {
        var destination = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{backend}/");
        var edge = kind == Edge ? await OwnEdge.StartAsync(backend, stacks, certificate) : null;
        var (port, tls) = kind switch
        {
            ApplicationForwarder => (await BareForwarder.StartInApplicationAsync(destination), 0),
            KestrelForwarder => await BareForwarder.StartOnKestrelAsync(destination, certificate),
            _ => edge?.Ports ?? (await SmallBackend.StartAsync(), 0),
        };
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Ready}{port} {tls}"));
        while (await Console.In.ReadLineAsync(cancellationToken) is { } question)
            Console.Out.WriteLine((await AnswerAsync(question, edge)).ToString(CultureInfo.InvariantCulture));

        return 0;
    }

    private static async Task<long> AnswerAsync(string question, OwnEdge? edge)
    {
        if (question == Swap && edge is not null) return await edge.SwapAsync();
        if (question == Settled)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalAllocatedBytes(precise: true);
    }
}
