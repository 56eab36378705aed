using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Benchmarks.Deploy;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>Versions of the first user: ones that are well, and ones that fail in one way each. Each is the good image and a layer of environment variables.</summary>
internal static class ChaosImages
{
    /// <summary>The other stack's, which nobody who asks for the first may ever see.</summary>
    public const string Other = "other";

    private const string GoesBad = "bad-bake";

    private static readonly ImmutableArray<string> Good = [.. Enumerable.Range(1, 6).Select(number => string.Create(CultureInfo.InvariantCulture, $"good-{number}"))];

    private static readonly ImmutableArray<(string Version, string Fault)> Bad =
    [
        ("bad-gate", "GARDEN_FAULT_NEVER_HEALTHY=true"),
        ("bad-exit", "GARDEN_FAULT_EXIT_AT_START=42"),
        ("bad-smoke", "GARDEN_FAULT_BROKEN_PATH=/api/gardens"),
        (GoesBad, "GARDEN_FAULT_FAIL_AFTER_SECONDS=1"),
    ];

    public static string First => Good[0];

    public static string Name(string version) => $"basmalin-chaos:{version}";

    public static string GoodOne(int pick) => Good[pick % Good.Length];

    public static string BadOne(int pick) => Bad[pick % Bad.Length].Version;

    /// <summary>It passes everything and goes bad under traffic: it may answer, badly, until it is rolled back.</summary>
    public static bool FailsInBake(string version) => version == GoesBad;

    /// <summary>Not one of those that fail.</summary>
    public static bool IsGood(string version) => Good.Contains(version);

    public static async Task BuildAsync(SpareEngine engine, string directory, CancellationToken cancellationToken)
    {
        foreach (var (version, fault) in Good.Append(Other).Select(version => (version, Fault: "")).Concat(Bad))
        {
            var context = Directory.CreateDirectory(Path.Combine(directory, version)).FullName;
            await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), $"FROM {Images.Garden("1.0.0")}\nENV GARDEN_VERSION={version} {fault}\n", cancellationToken);
            await engine.RunAsync(["build", "-q", "-t", Name(version), context], cancellationToken);
        }
    }
}
