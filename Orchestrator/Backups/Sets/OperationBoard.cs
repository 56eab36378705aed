using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;

namespace Orchestrator.Backups.Sets;

/// <summary>Runs backups, drills and restores beside whoever asked for them, one at a time for each stack, and shows how far they are.</summary>
public sealed partial class OperationBoard(StackTurns turns, TimeProvider time, ILogger<OperationBoard> logger) : IAsyncDisposable
{
    private const int Kept = 100;

    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];
    private readonly List<Channel<BackupOperation>> _watchers = [];
    private readonly CancellationTokenSource _stopping = new();
    private long _last;
    private volatile bool _disposed;

    /// <summary>The daemon stops.</summary>
    public bool Stopping => _disposed;

    /// <summary>Begins it; the work says through the given one how far it is, and returns what it came to.</summary>
    /// <param name="ended">Is told the outcome: the result, or what failed. Must not throw.</param>
    public BackupOperation Start(
        string stack, string kind, Func<OperationProgress, CancellationToken, Task<string>> work, Func<BackupOperation, Task>? ended = null)
    {
        var entry = new Entry(new() { Id = 0, Stack = stack, Kind = kind, State = OperationState.Waiting, StartedAt = time.GetUtcNow() });
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            entry.Operation = entry.Operation with { Id = ++_last, What = turns.NowAt(stack) is { } busy ? $"waits for {busy}" : "begins" };
            _entries.Add(entry);
            if (_entries.Count > Kept && _entries.FindIndex(old => old.Operation.Ended) is >= 0 and var oldest) _entries.RemoveAt(oldest);
            entry.Task = Task.Run(() => RunAsync(entry, work, ended));
        }

        Publish(entry.Operation);
        return entry.Operation;
    }

    /// <summary>Runs it within whoever asks, in its turn.</summary>
    public async Task<BackupOperation> RunAsync(string stack, string kind, Func<OperationProgress, CancellationToken, Task<string>> work, CancellationToken cancellationToken)
    {
        var begun = Start(stack, kind, async (progress, token) =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, cancellationToken);
            return await work(progress, either.Token);
        });
        Task task;
        lock (_gate) task = _entries.FirstOrDefault(entry => entry.Operation.Id == begun.Id)?.Task ?? Task.CompletedTask;
        await task.WaitAsync(cancellationToken);
        return Find(begun.Id) ?? begun;
    }

    public BackupOperation? Find(long id)
    {
        lock (_gate) return _entries.FirstOrDefault(entry => entry.Operation.Id == id)?.Operation;
    }

    /// <summary>What goes on now and what has ended lately, newest first.</summary>
    public ImmutableArray<BackupOperation> List()
    {
        lock (_gate) return [.. _entries.Select(entry => entry.Operation).Reverse()];
    }

    /// <summary>The present state first, then every change, until it has ended. Empty when there is no such operation.</summary>
    public async IAsyncEnumerable<BackupOperation> WatchAsync(long id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Only the newest states matter to whoever watches: a slow one skips some.
        var channel = Channel.CreateBounded<BackupOperation>(new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (_gate) _watchers.Add(channel);
        try
        {
            if (Find(id) is not { } now) yield break;
            yield return now;
            if (now.Ended) yield break;

            await foreach (var seen in channel.Reader.ReadAllAsync(cancellationToken))
            {
                if (seen.Id != id) continue;
                yield return seen;
                if (seen.Ended) yield break;
            }
        }
        finally
        {
            lock (_gate) _watchers.Remove(channel);
        }
    }

    /// <summary>Cancels what goes on, and waits for it: each leaves things so that the next start tidies up.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            running = [.. _entries.Select(entry => entry.Task)];
        }

        await _stopping.CancelAsync();
        await Task.WhenAll(running);
        _stopping.Dispose();
    }

    internal void Update(long id, Func<BackupOperation, BackupOperation> change)
    {
        BackupOperation changed;
        lock (_gate)
        {
            if (_entries.FirstOrDefault(entry => entry.Operation.Id == id) is not { } entry) return;
            changed = entry.Operation = change(entry.Operation);
        }

        Publish(changed);
    }

    private async Task RunAsync(Entry entry, Func<OperationProgress, CancellationToken, Task<string>> work, Func<BackupOperation, Task>? ended)
    {
        var id = entry.Operation.Id;
        var kind = entry.Operation.Kind;
        try
        {
            using var turn = await turns.EnterAsync(entry.Operation.Stack, $"a {kind} that began at {time.GetUtcNow():HH:mm:ss}Z", _stopping.Token);
            Update(id, now => now with { State = OperationState.Running, What = "begins" });
            var result = await work(new OperationProgress(this, id, turn, time), _stopping.Token);
            End(id, OperationState.Succeeded, result, null, null);
        }
        catch (OperationCanceledException)
        {
            End(id, OperationState.Failed, null, "It was interrupted.", "The daemon stopped, or whoever waited for it went away. What was begun is tidied up.");
        }
        catch (BackupFailedException failure)
        {
            End(id, OperationState.Failed, null, failure.Message, failure.Hint);
        }
        catch (Exception failure) when (failure is BackupStoreException or EngineException or JournalException)
        {
            End(id, OperationState.Failed, null, failure.Message, "basmalin doctor looks at the engine, the journal and the stores.");
        }
        catch (Exception defect)
        {
            LogDefect(defect, kind, entry.Operation.Stack);
            End(id, OperationState.Failed, null, $"{defect.GetType().Name}: {defect.Message}", "This is a defect of BasMalin: the daemon's log has the whole of it.");
        }

        if (ended is not null && Find(id) is { } over) await ended(over);
    }

    private void End(long id, OperationState state, string? result, string? problem, string? hint) =>
        Update(id, now => now with { State = state, EndedAt = time.GetUtcNow(), Result = result ?? now.Result, Problem = problem, Hint = hint, What = state == OperationState.Succeeded ? "done" : now.What });

    private void Publish(BackupOperation changed)
    {
        lock (_gate)
        {
            foreach (var watcher in _watchers) watcher.Writer.TryWrite(changed);
        }
    }

    [LoggerMessage(EventId = 5501, Level = LogLevel.Error, Message = "A defect in a {Kind} of {Stack}")]
    private partial void LogDefect(Exception defect, string kind, string stack);

    private sealed class Entry(BackupOperation operation)
    {
        public BackupOperation Operation { get; set; } = operation;

        public Task Task { get; set; } = Task.CompletedTask;
    }
}
