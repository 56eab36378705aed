using Orchestrator.Stacks;

namespace Orchestrator.Health;

/// <summary>Waits until a container has proved itself well, or will not any more.</summary>
public sealed class HealthGate(TimeProvider time)
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);

    /// <param name="observeExit">Looks once: null while the container runs. Asked four times a second beside the probes, and once more before the gate opens.</param>
    /// <param name="progress">Is told every result.</param>
    public async Task<GateResult> WaitAsync(
        IHealthProbe probe,
        Func<CancellationToken, Task<ContainerExit?>> observeExit,
        GateSpec gate,
        IProgress<ProbeResult>? progress,
        CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = new Run(probe, observeExit, GateState.Begin(gate), time);
        var exit = run.WatchAsync(stop.Token);
        var probing = run.ProbeAsync(progress, stop.Token);

        var first = await Task.WhenAny(exit, probing);
        await stop.CancelAsync();
        var other = first == exit ? probing : (Task)exit;
        await other.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);     // stopped by us; what it would have said no longer counts

        return first == exit ? run.Ended(await exit) : await probing;
    }

    private sealed class Run(IHealthProbe probe, Func<CancellationToken, Task<ContainerExit?>> observeExit, GateState state, TimeProvider time)
    {
        private readonly long _started = time.GetTimestamp();
        private GateState _state = state;

        private TimeSpan Now => time.GetElapsedTime(_started);

        public async Task<ContainerExit> WatchAsync(CancellationToken cancellationToken)
        {
            using var ticks = new PeriodicTimer(WatchInterval, time);
            while (true)
            {
                if (await observeExit(cancellationToken) is { } exit) return exit;

                await ticks.WaitForNextTickAsync(cancellationToken);
            }
        }

        public async Task<GateResult> ProbeAsync(IProgress<ProbeResult>? progress, CancellationToken cancellationToken)
        {
            while (true)
            {
                if (await AskAsync(cancellationToken) is { } result)
                {
                    _state = _state.After(result, Now);
                    progress?.Report(result);
                }
                else
                {
                    _state = _state.At(_state.DeadlineAt);
                }

                if (_state.Verdict == GateVerdict.TooLate) return TooLate();
                if (_state.Verdict == GateVerdict.Healthy) return await observeExit(cancellationToken) is { } exit ? Ended(exit) : Healthy();

                var now = Now;
                var untilDeadline = _state.DeadlineAt - now;
                var wait = _state.NextProbeIn(now);
                await Task.Delay(wait < untilDeadline ? wait : untilDeadline, time, cancellationToken);
            }
        }

        public GateResult Ended(ContainerExit exit) => new()
        {
            Healthy = false,
            Reason = $"{exit} after {HttpProbe.Seconds(Now)}",
            Last = _state.Last,
            Exit = exit,
            Hint = exit.OomKilled ? ProbeHint.OutOfMemory : null,
            Took = Now,
        };

        /// <returns>Null: the deadline came while the probe was under way.</returns>
        private async Task<ProbeResult?> AskAsync(CancellationToken cancellationToken)
        {
            var rest = _state.DeadlineAt - Now;
            if (rest <= TimeSpan.Zero) return null;

            using var deadline = new CancellationTokenSource(rest, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            try
            {
                return await probe.ProbeAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }

        private GateResult Healthy() => new()
        {
            Healthy = true,
            Reason = $"healthy after {HttpProbe.Seconds(Now)}: {_state.Last[^1].Detail}",
            Last = _state.Last,
            Took = Now,
        };

        private GateResult TooLate()
        {
            var last = _state.Last.LastOrDefault();
            var seen = last switch
            {
                null => "no probe came to an end",
                { Healthy: false } => $"the last probe: {last.Detail}",
                _ => $"it had {_state.Streak} successes in a row, and needs {_state.Gate.Successes} and {HttpProbe.Seconds(_state.Gate.Stable)} without a failure" +
                    (_state.LastFailure is { } failure ? $"; the last failure: {failure.Detail}" : ""),
            };
            return new GateResult
            {
                Healthy = false,
                Reason = $"not healthy within {HttpProbe.Seconds(_state.DeadlineAt)}; {seen}",
                Last = _state.Last,
                Hint = last?.Hint ?? _state.LastFailure?.Hint,
                Took = Now,
            };
        }
    }
}
