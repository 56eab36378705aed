using System.Globalization;

namespace Orchestrator.Benchmarks.Measuring;

/// <summary>Closed-loop load by <c>wrk</c>: so many connections, each asking again as soon as it has its answer.</summary>
internal sealed class Wrk(string directory)
{
    private const string Mark = "measured ";

    private const string Script = """
        done = function(summary, latency, requests)
          local e = summary.errors
          io.write(string.format("measured %d %d %d %d %d %d\n", summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout + e.status,
            latency:percentile(50), latency:percentile(95), latency:percentile(99)))
        end
        """;

    // What a browser sends: a proxy's cost is in the headers too.
    private static readonly string[] Headers =
    [
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Accept: application/json",
        "Accept-Language: en-US,en;q=0.5",
        "Accept-Encoding: gzip, deflate, br",
        "Referer: http://garden.example/",
        "Cookie: session=0123456789abcdef0123456789abcdef",
    ];

    public Task<WrkResult> RunAsync(Uri address, string? host, int connections, int seconds, CancellationToken cancellationToken) =>
        RunAsync(address, host, connections, seconds, newConnections: false, cancellationToken);

    public async Task<WrkResult> RunAsync(Uri address, string? host, int connections, int seconds, bool newConnections, CancellationToken cancellationToken)
    {
        var script = Path.Combine(directory, "report.lua");
        await File.WriteAllTextAsync(script, Script, cancellationToken);
        IEnumerable<string> headers = host is null ? Headers : [.. Headers, $"Host: {host}"];
        if (newConnections) headers = headers.Append("Connection: close");
        string[] arguments =
        [
            "-t1",
            string.Create(CultureInfo.InvariantCulture, $"-c{connections}"),
            string.Create(CultureInfo.InvariantCulture, $"-d{seconds}s"),
            "--timeout", "10s",
            "-s", script,
            .. headers.SelectMany(header => new[] { "-H", header }),
            address.ToString(),
        ];
        var output = await ExternalProgram.RunAsync("wrk", arguments, cancellationToken);
        var line = output.Split('\n').FirstOrDefault(line => line.StartsWith(Mark, StringComparison.Ordinal)) ?? throw new InvalidOperationException($"wrk said nothing of use:\n{output}");
        var numbers = line[Mark.Length..].Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return new WrkResult((long)numbers[0], numbers[1] / 1e6, (long)numbers[2], numbers[3] / 1e3, numbers[4] / 1e3, numbers[5] / 1e3);
    }
}
