using System.Globalization;
using System.Net;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Docker;

namespace Orchestrator.Benchmarks.Start;

/// <summary>The published daemon with stacks: what it takes when nothing happens, and how long after a kill all routes of many stacks are open again.</summary>
internal sealed class StacksBenchmark(int stacks, int rounds, TimeSpan settling, TimeSpan idle, TimeProvider time)
{
    private const string Server =
        "use IO::Socket::INET; $$SIG{CHLD}='IGNORE'; $$SIG{TERM}=sub{exit 0}; my $$s=IO::Socket::INET->new(LocalPort=>3000,Listen=>64,ReuseAddr=>1) or die; " +
        "while(1){my $$c=$$s->accept or next; if(fork){close $$c;next} while(defined(my $$l=<$$c>)){last if $$l=~/^\\r?\\n$$/} " +
        "print $$c qq(HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok); exit 0}";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string _name = $"bench{Environment.ProcessId}";

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        try
        {
            var program = await StartBenchmark.PublishAsync(directory, cancellationToken);
            await ExternalProgram.RunAsync("docker", ["network", "create", "--subnet", "10.219.0.0/16", _name], cancellationToken);
            var place = DaemonPlace.New(Path.Combine(directory, "daemon"), Path.Combine(directory, "stacks"));
            Directory.CreateDirectory(place.Stacks);
            Write(place, 1);
            IdleCost cost;
            await using (var one = await DaemonProcess.StartAsync(program, place, time, cancellationToken))
            {
                await OpenAsync(place, 1, cancellationToken);
                Progress.Say("stacks: one, idle");
                await Task.Delay(settling, time, cancellationToken);
                cost = await one.IdleAsync(idle, cancellationToken);
            }

            for (var stack = 2; stack <= stacks; stack++) Write(place, stack);
            Progress.Say($"stacks: {stacks} are deployed");
            await using (await DaemonProcess.StartAsync(program, place, time, cancellationToken)) await OpenAsync(place, stacks, cancellationToken);

            var (ready, open) = (new List<double>(), new List<double>());
            for (var round = 1; round <= rounds; round++)
            {
                Progress.Say($"stacks: start {round} of {rounds}");
                var started = time.GetTimestamp();
                var starting = DaemonProcess.StartAsync(program, place, time, cancellationToken);
                await OpenAsync(place, stacks, cancellationToken);
                open.Add(time.GetElapsedTime(started).TotalMilliseconds);
                await using var daemon = await starting;
                ready.Add(daemon.ReadyAfter.TotalMilliseconds);
            }

            return Report(Samples.Of(open), Samples.Of(ready), cost);
        }
        finally
        {
            await RemoveAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Write(DaemonPlace place, int stack) => File.WriteAllText(Path.Combine(place.Stacks, $"{stack}.yml"), $$"""
        name: {{_name}}-{{stack}}
        services:
          app:
            image: localhost:5000/basmalin/base:bookworm
            command: ["perl", "-e", "{{Server}}"]
            x-basmalin:
              route: { hosts: [{{Host(stack)}}], port: 3000 }
              gate: { tcp: 3000, interval: 100ms, successes: 1, stable: 0s, deadline: 30s }
              bake: { for: 0s }
              warm: 0s
        networks:
          default: { name: {{_name}}, external: true }
        """);

    /// <summary>Waits until every host has answered.</summary>
    private async Task OpenAsync(DaemonPlace place, int count, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{place.Edge}/") };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        for (var stack = 1; stack <= count; stack++)
        {
            while (!await AnswersAsync(client, Host(stack), patience.Token)) await Task.Delay(TimeSpan.FromMilliseconds(2), time, patience.Token);
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient client, string host, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "") { Headers = { Host = host } };
        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;           // not listening yet
        }
    }

    private static string Host(int stack) => string.Create(CultureInfo.InvariantCulture, $"s{stack}.example");

    private async Task RemoveAsync()
    {
        var listed = await ExternalProgram.RunAsync("docker", ["ps", "-a", "--format", $"{{{{.ID}}}} {{{{.Label \"{Labels.Stack}\"}}}}"], CancellationToken.None);
        var ours = listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).Where(line => line.Length > 1 && line[1].StartsWith($"{_name}-", StringComparison.Ordinal)).Select(line => line[0]).ToArray();
        if (ours.Length > 0) await ExternalProgram.RunAsync("docker", ["rm", "-fv", .. ours], CancellationToken.None);
        await ExternalProgram.RunAsync("docker", ["network", "rm", "-f", _name], CancellationToken.None);
    }

    private Findings Report(Samples open, Samples ready, IdleCost cost)
    {
        var share = cost.CpuMilliseconds / idle.TotalMilliseconds;
        return new(
            "stacks",
            new { stacks, open, ready, idle = cost },
            [
                new Goal($"from the start of the daemon to all routes of {stacks} stacks answering", "under 1 s", Milliseconds(open.Median), open.Median < 1000),
                new Goal("idle with one stack: of one processor", "under 1 %", string.Create(CultureInfo.InvariantCulture, $"{share:0.00 %}"), share < 0.01),
                new Goal("idle with one stack: resident memory", "at most 120 MB", string.Create(CultureInfo.InvariantCulture, $"{cost.MemoryMegabytes:0} MB"), cost.MemoryMegabytes <= 120),
            ],
            [
                new Table($"The daemon with {stacks} stacks, after a kill", ["from its start to", "median", "lowest", "highest"],
                [
                    ["every route answering", Milliseconds(open.Median), Milliseconds(open.Low), Milliseconds(open.High)],
                    ["/readyz", Milliseconds(ready.Median), Milliseconds(ready.Low), Milliseconds(ready.High)],
                ])
                {
                    Note = string.Create(
                        CultureInfo.InvariantCulture,
                        $"{rounds} rounds, on the same journal and containers. With one stack, {settling.TotalSeconds:0} s after it was deployed, the daemon used {cost.CpuMilliseconds:0} ms of processor time in {idle.TotalSeconds:0} s and held {cost.MemoryMegabytes:0} MB."),
                },
            ]);
    }

    private static string Milliseconds(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:#,0} ms");
}
