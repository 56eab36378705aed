using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Telemetry;

namespace Orchestrator.Healing;

/// <summary>
/// Holds stacks against their releases, at a slow beat and whenever the engine tells of something, and puts right what differs. A stack is borrowed for that:
/// never while a deployment is at it, and it is given back when one wants it. Only networks that serving replicas have lost are given back to them in any case.
/// </summary>
public sealed partial class Healer(StackObserver observer, HealingBooks books, HealingActs acts, DeploymentQueue queue, HealingWake wake, ILogger<Healer> logger) : IAsyncDisposable
{
    // Events come in swarms: the first is heard at once, the rest of them together.
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, Task> _healing = new(StringComparer.Ordinal);
    private Task _loop = Task.CompletedTask;
    private string _told = "";

    public void Start() => _loop = Task.Run(() => LoopAsync(_stopping.Token));

    /// <summary>What was given up has its attempts again, and the stack is looked at now.</summary>
    /// <returns>How many replicas and volumes had been given up.</returns>
    public int TryAgain(string stack)
    {
        var given = books.Clear(stack);
        wake.Raise();
        return given;
    }

    /// <summary>What is under way is let go in good order.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;

        await _stopping.CancelAsync();
        await Task.WhenAll([_loop, .. _healing.Values]);
        wake.Dispose();
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var rest = await RoundAsync(cancellationToken);
                await wake.WaitAsync(rest, cancellationToken);
                await acts.RestAsync(Gap, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
    }

    /// <returns>How long it may be until the next.</returns>
    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        var rest = books.Options.Interval;
        try
        {
            var pictures = await observer.LookAsync(cancellationToken);
            foreach (var picture in pictures)
            {
                var stack = picture.Stack;

                // What it does must not be taken for what happened. (One that had ended before it was noted is still noted.)
                if (_healing.GetValueOrDefault(stack) is { IsCompleted: false }) continue;

                var decision = books.Decide(picture);
                if (decision.LookAgain is { } soon && soon < rest) rest = soon;
                if (decision is { Acts.IsEmpty: true, GivenUp.IsEmpty: true }) books.Show(stack, decision.Notes);
                else _healing[stack] = Task.Run(() => HealAsync(stack, cancellationToken), CancellationToken.None);
            }

            if (wake.TakeNetworkLoss()) await ReconnectAsync(cancellationToken);
            _told = "";
        }
        catch (Exception problem) when (problem is EngineException or JournalException)
        {
            if (_told != problem.Message) LogNotSeen(problem.Message);      // the engine's restart is told once
            _told = problem.Message;
        }

        return rest;
    }

    private async Task HealAsync(string stack, CancellationToken cancellationToken)
    {
        var again = false;
        try
        {
            using var loan = queue.Leases.TryBorrow(stack);
            if (loan is null) return;                               // a deployment is at it: what it does wakes the loop

            again = true;

            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, loan.GiveWay);
            if (await observer.LookAsync(stack, either.Token) is not { } picture) return;

            var decision = books.Decide(picture);
            books.Show(stack, decision.Notes);
            foreach (var given in decision.GivenUp) await GiveUpAsync(stack, given, either.Token);
            foreach (var act in decision.Acts) await TryAsync(picture, act, either.Token);
        }
        catch (OperationCanceledException)
        {
            LogGaveWay(stack);
        }
        catch (Exception problem) when (problem is EngineException or JournalException)
        {
            LogNotHealed(stack, problem.Message);
        }
        catch (Exception defect)
        {
            LogDefect(defect, stack);
        }
        finally
        {
            _healing.TryRemove(stack, out _);
            if (again) wake.Raise();
        }
    }

    /// <summary>Of the stacks that a deployment is at; without the stack, which the deployment has.</summary>
    private async Task ReconnectAsync(CancellationToken cancellationToken)
    {
        foreach (var picture in await observer.LookAtBusyAsync(cancellationToken))
        {
            var needed = HealingPolicy.WhileDeployed(picture, books.Options);
            if (needed.IsEmpty) continue;

            if (_healing.GetValueOrDefault(picture.Stack) is { IsCompleted: false }) wake.KeepNetworkLoss();
            else _healing[picture.Stack] = Task.Run(() => ReconnectAsync(picture, needed, cancellationToken), CancellationToken.None);
        }
    }

    private async Task ReconnectAsync(StackPicture picture, ImmutableArray<HealingAct> needed, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var act in needed)
            {
                if (!await TryAsync(picture, act, cancellationToken)) wake.KeepNetworkLoss();
            }
        }
        catch (OperationCanceledException)
        {
            LogGaveWay(picture.Stack);
        }
        catch (Exception defect)
        {
            LogDefect(defect, picture.Stack);
        }
        finally
        {
            _healing.TryRemove(picture.Stack, out _);
        }
    }

    /// <returns>False: it came to nothing.</returns>
    private async Task<bool> TryAsync(StackPicture picture, HealingAct act, CancellationToken cancellationToken)
    {
        var (stack, kind, key) = (picture.Stack, act.Kind, act.Key);
        try
        {
            var problem = await acts.RunAsync(picture, act, cancellationToken);
            books.Acted(stack, act, problem);
            HealingMetrics.Acted(stack, kind, problem is null ? "done" : "failed");
            if (problem is null) LogDone(stack, kind, key);
            else LogFailed(stack, kind, key, problem);
            return problem is null;
        }
        catch (OperationCanceledException)
        {
            HealingMetrics.Acted(stack, kind, "gave_way");
            throw;
        }
    }

    private async Task GiveUpAsync(string stack, Capitulation given, CancellationToken cancellationToken)
    {
        var words = given.Container is { } container ? await acts.LastWordsAsync(container, cancellationToken) : null;
        books.GiveUp(stack, given, words);
        if (given is { Stop: true, Container: { } loop }) await acts.StopAsync(loop, cancellationToken);
    }

    [LoggerMessage(EventId = 4511, Level = LogLevel.Warning, Message = "Stacks cannot be held against the engine for the moment: {Problem}")]
    private partial void LogNotSeen(string problem);

    [LoggerMessage(EventId = 4512, Level = LogLevel.Information, Message = "Stack {Stack}: healing gives way, and goes on later")]
    private partial void LogGaveWay(string stack);

    [LoggerMessage(EventId = 4513, Level = LogLevel.Warning, Message = "Stack {Stack} could not be healed: {Problem}")]
    private partial void LogNotHealed(string stack, string problem);

    [LoggerMessage(EventId = 4514, Level = LogLevel.Error, Message = "A defect while stack {Stack} was healed")]
    private partial void LogDefect(Exception defect, string stack);

    [LoggerMessage(EventId = 4515, Level = LogLevel.Warning, Message = "Stack {Stack}: {Act} of {Replica} done")]
    private partial void LogDone(string stack, string act, ReplicaKey replica);

    [LoggerMessage(EventId = 4516, Level = LogLevel.Error, Message = "Stack {Stack}: {Act} of {Replica} came to nothing: {Problem}")]
    private partial void LogFailed(string stack, string act, ReplicaKey replica, string problem);
}
