namespace Orchestrator.Benchmarks.Chaos;

/// <summary>What the acts are done to, and what is known of them.</summary>
internal sealed record ChaosScene(SpareEngine Engine, ChaosDaemon Daemon, Excuses Excuses, Versions Versions, TimeProvider Time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Asks the engine again while it is away.</summary>
    /// <exception cref="InvalidOperationException">It refuses.</exception>
    public async Task<string> DockerAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var since = Time.GetTimestamp();
        while (true)
        {
            try
            {
                return await Engine.RunAsync(arguments, cancellationToken);
            }
            catch (InvalidOperationException away) when (IsAway(away) && Time.GetElapsedTime(since) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), Time, cancellationToken);
            }
        }
    }

    public async Task<string[]> DockerLinesAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        [.. (await DockerAsync(arguments, cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private static bool IsAway(InvalidOperationException problem) =>
        problem.Message.Contains("Cannot connect to the Docker daemon", StringComparison.Ordinal) || problem.Message.Contains("error during connect", StringComparison.Ordinal)
        || problem.Message.Contains("is too new", StringComparison.Ordinal) || problem.Message.Contains("EOF", StringComparison.Ordinal) || problem.Message.Contains("shutting down", StringComparison.Ordinal);
}
