namespace Orchestrator.Health;

/// <summary>A container that ended, or was restarted by the engine, while it was watched.</summary>
/// <param name="ExitCode">Null when the engine does not know it any more.</param>
/// <param name="Restarts">How often the engine has restarted it.</param>
/// <param name="Gone">It was removed.</param>
public sealed record ContainerExit(long? ExitCode, bool OomKilled, int Restarts, bool Gone)
{
    public override string ToString() => (this, ExitCode) switch
    {
        ({ Gone: true }, _) => "the container was removed",
        ({ OomKilled: true }, _) => $"the container was killed for want of memory{Code}{Again}",
        (_, null) => $"the container ended{Again}",
        _ => $"the container exited with code {ExitCode}{Meaning}{Again}",
    };

    private string Code => ExitCode is { } code ? $" (exit code {code})" : "";

    private string Again => Restarts > 0 ? $", and was restarted {Restarts} time{(Restarts == 1 ? "" : "s")}" : "";

    private string Meaning => ExitCode switch
    {
        126 => " (the command cannot be run)",
        127 => " (the command was not found)",
        134 => " (it aborted)",
        137 => " (SIGKILL)",
        139 => " (segmentation fault)",
        143 => " (SIGTERM)",
        _ => "",
    };
}
