using System.Threading.Channels;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Agent.Hosting;

/// <summary>Copies the journal after each deployment that has ended, and once a day when there was none: what it takes to serve and to go on is never older.</summary>
internal sealed partial class JournalCopies(SqliteDatabase database, JournalBackups backups, DeploymentQueue queue, TimeProvider time, ILogger<JournalCopies> logger) : BackgroundService
{
    private static readonly TimeSpan Rest = TimeSpan.FromHours(24);

    // One pending copy is enough.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        queue.Ended += OnEnded;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await CopyAsync(stoppingToken);
                using var alarm = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                await Task.WhenAny(Task.Delay(Rest, time, alarm.Token), _wake.Reader.ReadAsync(alarm.Token).AsTask());
                await alarm.CancelAsync();
            }
        }
        finally
        {
            queue.Ended -= OnEnded;
        }
    }

    private void OnEnded(Deployment ended) => _wake.Writer.TryWrite(true);

    private async Task CopyAsync(CancellationToken cancellationToken)
    {
        if (database.Health.Damage is not null) return;             // a stand-in is no journal
        try
        {
            var file = await backups.MakeAsync(database, cancellationToken);
            LogCopied(file);
        }
        catch (JournalException problem)
        {
            LogNotCopied(problem.Message);
        }
    }

    [LoggerMessage(EventId = 1130, Level = LogLevel.Debug, Message = "The journal is copied to {File}")]
    private partial void LogCopied(string file);

    [LoggerMessage(EventId = 1131, Level = LogLevel.Error, Message = "The journal could not be copied; it is tried again after the next deployment: {Problem}")]
    private partial void LogNotCopied(string problem);
}
