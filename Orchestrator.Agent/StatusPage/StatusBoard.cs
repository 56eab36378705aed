using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Journal;

namespace Orchestrator.Agent.StatusPage;

/// <summary>Reads the board, once for all who look at the same time, and only when somebody does.</summary>
internal sealed partial class StatusBoard(StatusFeed feed, TimeProvider time, ILogger<StatusBoard> logger) : IDisposable
{
    private readonly SemaphoreSlim _reading = new(1, 1);
    private Board _last = Board.Empty;
    private DateTimeOffset _triedAt = DateTimeOffset.MinValue;

    public void Dispose() => _reading.Dispose();

    /// <summary>When engine or journal do not answer: what was seen last, and why.</summary>
    /// <param name="notBefore">What somebody else has read since then is good enough.</param>
    public async Task<Board> ReadAsync(DateTimeOffset notBefore, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_triedAt >= notBefore && _triedAt > DateTimeOffset.MinValue) return _last;
            _triedAt = time.GetUtcNow();
            return _last = await ReadAsync(cancellationToken);
        }
        catch (Exception problem) when (problem is EngineException or JournalException)
        {
            if (_last.Problem is null) LogNotRead(problem);
            return _last = _last with { Problem = problem.Message };
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<Board> ReadAsync(CancellationToken cancellationToken)
    {
        var at = time.GetUtcNow();
        var stacks = ImmutableArray.CreateBuilder<StackBoard>();
        foreach (var status in await feed.Stacks(cancellationToken))
        {
            stacks.Add(status.Problem is null
                ? new(status, await feed.Deployments(status.Stack, cancellationToken), await feed.Releases(status.Stack, cancellationToken)) { Backups = await feed.Backups(status.Stack, cancellationToken) }
                : new(status, [], []));
        }

        return new(stacks.ToImmutable(), at, null);
    }

    [LoggerMessage(EventId = 8501, Level = LogLevel.Warning, Message = "The status page shows what was seen last: engine or journal do not answer")]
    private partial void LogNotRead(Exception problem);
}
