namespace Orchestrator.Benchmarks.Measuring;

/// <summary>What was measured several times.</summary>
/// <param name="Median">The middle one; of an even number, the mean of both middle ones.</param>
internal sealed record Samples(double Median, double Low, double High, int Count)
{
    public static Samples Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
            throw new InvalidOperationException("Nothing was measured.");

        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Samples(Rounded(median), Rounded(sorted[0]), Rounded(sorted[^1]), sorted.Length);
    }

    private static double Rounded(double value) => Math.Round(value, 4);
}
