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

    public async Task<WrkResult> RunAsync(Uri address, string? host, int connections, int seconds, CancellationToken cancellationToken)
    {
        var script = Path.Combine(directory, "report.lua");
        await File.WriteAllTextAsync(script, Script, cancellationToken);
        string[] header = host is null ? [] : ["-H", $"Host: {host}"];
        var output = await ExternalProgram.RunAsync(
            "wrk", ["-t1", string.Create(CultureInfo.InvariantCulture, $"-c{connections}"), string.Create(CultureInfo.InvariantCulture, $"-d{seconds}s"), "--timeout", "10s", "-s", script, .. header, address.ToString()], cancellationToken);
        var line = output.Split('\n').FirstOrDefault(line => line.StartsWith(Mark, StringComparison.Ordinal)) ?? throw new InvalidOperationException($"wrk said nothing of use:\n{output}");
        var numbers = line[Mark.Length..].Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return new WrkResult((long)numbers[0], numbers[1] / 1e6, (long)numbers[2], numbers[3] / 1e3, numbers[4] / 1e3, numbers[5] / 1e3);
    }
}
