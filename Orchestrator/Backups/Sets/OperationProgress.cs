namespace Orchestrator.Backups.Sets;

/// <summary>Through which work says how far it is. Many small steps are told a few times a second only.</summary>
public sealed class OperationProgress
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly OperationBoard? _board;
    private readonly long _id;
    private readonly TimeProvider _time;
    private readonly IDisposable? _turn;
    private string _what = "";
    private long _since;
    private long _told;

    internal OperationProgress(OperationBoard? board, long id, IDisposable? turn, TimeProvider time) => (_board, _id, _turn, _time) = (board, id, turn, time);

    /// <summary>For whoever does not want to know.</summary>
    public static OperationProgress Unheard { get; } = new(null, 0, null, TimeProvider.System);

    /// <summary>Lets the next one have its turn, though this is not over: what follows waits for deployments, which may themselves wait for a turn.</summary>
    public void LeaveTurn() => _turn?.Dispose();

    public void Say(string what) => Report(what, 0, null);

    /// <summary>What it has come to so far: the set that is being made.</summary>
    public void Result(string result) => _board?.Update(_id, now => now with { Result = result });

    public void Report(string what, long bytes, long? of)
    {
        if (_board is null) return;

        double rate;
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            var another = what != _what;
            if (another) (_what, _since) = (what, now);
            else if (_time.GetElapsedTime(_told, now) < Between && bytes != of) return;

            _told = now;
            var passed = _time.GetElapsedTime(_since, now).TotalSeconds;
            rate = passed > 0.5 ? bytes / passed : 0;
        }

        _board.Update(_id, now => now with { What = what, Bytes = bytes, Of = of, Rate = rate });
    }
}
