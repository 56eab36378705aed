using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;

namespace Orchestrator.Deployments;

public enum CancelOutcome
{
    Accepted,
    NotFound,
    AlreadyEnded,

    /// <summary>The commit has begun: roll back instead.</summary>
    PastCommit,
}

/// <summary>One running deployment per stack, stacks independent of each other. What is queued stands in the journal; here are only the workers.</summary>
public sealed partial class DeploymentQueue(
    IJournal journal, DeploymentRunner runner, DeploymentResume resume, Sweeper sweeper, DeploymentEvents events, ILogger<DeploymentQueue> logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Worker> _workers = [];
    private readonly CancellationTokenSource _stopping = new();
    private bool _disposed;

    /// <summary>Who may change what of a stack runs: the deployment that is under way, or, while there is none, whoever heals it.</summary>
    public StackLeases Leases { get; } = new();

    /// <summary>Raised after each deployment that has ended; must not throw.</summary>
    public event Action<Deployment>? Ended;

    /// <summary>Sees that the stack's queue is worked off.</summary>
    public void Wake(string stack)
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) return;
            if (_workers.TryGetValue(stack, out var present))
            {
                present.Again = true;
                return;
            }

            var worker = new Worker();
            _workers[stack] = worker;
            worker.Task = Task.Run(() => WorkAsync(stack, worker));
        }
    }

    public async Task<CancelOutcome> CancelAsync(DeploymentId id, CancellationToken cancellationToken)
    {
        if (await journal.FindDeploymentAsync(id, cancellationToken) is not { } deployment) return CancelOutcome.NotFound;
        if (deployment.Ended) return CancelOutcome.AlreadyEnded;

        // First the word, then the deed: the daemon may end in between.
        if (!await journal.RequestCancelAsync(id, cancellationToken)) return CancelOutcome.PastCommit;
        lock (_gate)
        {
            if (_workers.TryGetValue(deployment.Request.Stack, out var worker) && worker.Running == id)
            {
                worker.Cancel?.Cancel();
                return CancelOutcome.Accepted;
            }
        }

        if (deployment.State == DeploymentState.Running) return CancelOutcome.Accepted;      // between two workers: whoever takes it up reads the word
        var cancelled = deployment with { State = DeploymentState.Cancelled, EndedAt = deployment.CreatedAt, Failure = new(FailureReason.Cancelled, "Cancelled in the queue.", "Nothing was changed.") };
        await journal.SaveDeploymentAsync(cancelled, cancellationToken);
        events.Publish(new(cancelled, null, null, deployment.CreatedAt));
        return CancelOutcome.Accepted;
    }

    /// <summary>Lets running deployments suspend themselves and waits for them.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (_gate)
        {
            if (_disposed) return;                                  // the container of services asks again
            _disposed = true;
            _stopping.Cancel();
            running = [.. _workers.Values.Select(worker => worker.Task)];
        }

        await Task.WhenAll(running);
        _stopping.Dispose();
    }

    private async Task WorkAsync(string stack, Worker worker)
    {
        var told = "";
        while (true)
        {
            try
            {
                while (!_stopping.IsCancellationRequested && await NextAsync(stack) is { } next) await RunAsync(stack, worker, next);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (EngineException away) when (PatientUndo.Passes(away))
            {
                if (told != away.Message) LogEngineAway(stack, away.Message);     // what is unfinished is not left unfinished: it goes on when the engine answers
                told = away.Message;
                await runner.RoomAsync(_stopping.Token);
                continue;
            }
            catch (Exception problem) when (problem is JournalException or InvalidOperationException or EngineException)
            {
                if (told != problem.Message) LogWorkerFailed(problem, stack);     // the journal cannot be written: nothing more is begun until there is room, or the next wake
                told = problem.Message;
                if (problem is JournalException { Fault: JournalFault.Full })
                {
                    await runner.RoomAsync(_stopping.Token);
                    continue;
                }
            }

            lock (_gate)
            {
                if (worker.Again && !_stopping.IsCancellationRequested)
                {
                    worker.Again = false;
                    continue;
                }

                _workers.Remove(stack);
                return;
            }
        }
    }

    private async Task<Deployment?> NextAsync(string stack) =>
        (await journal.UnfinishedAsync(_stopping.Token)).FirstOrDefault(deployment => deployment.Request.Stack == stack);

    private async Task RunAsync(string stack, Worker worker, Deployment deployment)
    {
        using var lease = await Leases.EnterAsync(stack, _stopping.Token);
        using var cancel = new CancellationTokenSource();
        var (work, action) = await resume.PrepareAsync(deployment, CancellationToken.None);   // a moment: not to be cut in half
        lock (_gate) (worker.Running, worker.Cancel, worker.Work) = (deployment.Id, cancel, work);
        Deployment ended;
        try
        {
            // Cancelled after it was read from the queue, and before there was anything here to cancel.
            if (await journal.FindDeploymentAsync(deployment.Id, CancellationToken.None) is { CancelRequested: true }) await cancel.CancelAsync();
            ended = action switch
            {
                RecoveryAction.Undo { RunAgain: true } => await AgainAsync(work),
                RecoveryAction.Undo => await runner.UndoAsync(work, DeploymentResume.ReasonOf(work.Deployment), _stopping.Token),
                RecoveryAction.Continue { From: var from } => await runner.RunAsync(work, from, cancel.Token, _stopping.Token),
                _ => await runner.RunAsync(work, StepKind.Plan, cancel.Token, _stopping.Token),
            };
        }
        finally
        {
            lock (_gate) (worker.Running, worker.Cancel, worker.Work) = (null, null, null);
        }

        if (!ended.Ended) return;
        Ended?.Invoke(ended);
        if (!_stopping.IsCancellationRequested) await sweeper.SweepAsync(stack, _stopping.Token);
    }

    private async Task<Deployment> AgainAsync(DeploymentWork work)
    {
        if (!await runner.UndoStepsAsync(work, _stopping.Token)) return work.Deployment;
        return await resume.RequeueAsync(work.Deployment, _stopping.Token);
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Error, Message = "Stack {Stack}: its queue is not worked off until the next request")]
    private partial void LogWorkerFailed(Exception problem, string stack);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Warning, Message = "Stack {Stack}: its deployment goes on as soon as the engine answers: {Problem}")]
    private partial void LogEngineAway(string stack, string problem);

    private sealed class Worker
    {
        public Task Task { get; set; } = Task.CompletedTask;

        public bool Again { get; set; }

        public DeploymentId? Running { get; set; }

        public CancellationTokenSource? Cancel { get; set; }

        public DeploymentWork? Work { get; set; }
    }
}
