using System.Collections.Immutable;

namespace Orchestrator.Tests.Load;

/// <summary>Counts what happens; a few hundred times per second, so a lock is cheap enough.</summary>
internal sealed class LoadTally(int failuresKept, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly long _started = time.GetTimestamp();
    private readonly List<double> _milliseconds = [];
    private readonly List<string> _failures = [];
    private readonly List<int> _closes = [];
    private readonly Dictionary<string, long> _versions = [];
    private readonly List<(string Version, TaskCompletionSource Seen)> _awaited = [];
    private long _sent;
    private long _failed;
    private long _messages;
    private long _events;
    private long _streamsEnded;
    private long _streamsCut;

    public void Sent() => Locked(() => _sent++);

    public void Answered(double milliseconds, string? version) => Locked(() =>
    {
        _milliseconds.Add(milliseconds);
        Count(version);
    });

    public void Failed(string what, string why) => Locked(() =>
    {
        if (_failed++ < failuresKept)
            _failures.Add($"{time.GetElapsedTime(_started).TotalSeconds:0.000} s: {what}: {why}");
    });

    public void Message() => Locked(() => _messages++);

    public void Closed(int status) => Locked(() => _closes.Add(status));

    public void Event() => Locked(() => _events++);

    public void StreamEnded() => Locked(() => _streamsEnded++);

    public void StreamCut() => Locked(() => _streamsCut++);

    public Task SeenAsync(string version)
    {
        lock (_gate)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((version, seen));
            return seen.Task;
        }
    }

    public LoadReport Report()
    {
        lock (_gate)
        {
            var sorted = _milliseconds.Order().ToList();
            return new LoadReport
            {
                Sent = _sent,
                Ok = sorted.Count,
                Failed = _failed,
                Failures = [.. _failures],
                Versions = _versions.ToImmutableSortedDictionary(),
                Milliseconds = (At(0.5), At(0.95), At(0.99), At(1)),
                WebSocketMessages = _messages,
                WebSocketCloses = [.. _closes],
                Events = _events,
                EventStreamsEnded = _streamsEnded,
                EventStreamsCut = _streamsCut,
            };

            double At(double fraction) => sorted.Count == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(fraction * sorted.Count) - 1)];
        }
    }

    private void Count(string? version)
    {
        if (version is null)
            return;

        _versions[version] = _versions.GetValueOrDefault(version) + 1;
        foreach (var (_, seen) in _awaited.Where(entry => entry.Version == version))
            seen.TrySetResult();
        _awaited.RemoveAll(entry => entry.Version == version);
    }

    private void Locked(Action act)
    {
        lock (_gate)
            act();
    }
}
