using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Keeping;

namespace Orchestrator.Backups.Sets;

/// <summary>Lays the recovery card and its scripts beside the sets of a stack, in every store, whenever they say something new.</summary>
public sealed partial class RecoveryCards(BackupVault vault, BackupSources sources, ILogger<RecoveryCards> logger)
{
    private readonly ConcurrentDictionary<string, string> _written = new(StringComparer.Ordinal);

    /// <summary>After a set was made: that a card could not be written does not make the set worse, and is tried again with the next one.</summary>
    public async Task PutAsync(BackupManifest manifest, CancellationToken cancellationToken)
    {
        ImmutableArray<RecoverySection> sections = [.. manifest.Parts.Where(part => sources.Knows(part.Kind)).Select(part => sources.Of(part.Kind).Recovery(part)).OfType<RecoverySection>()];
        var repository = vault.Repository(manifest.Stack);
        var text = RecoveryCard.Text(manifest.Stack, repository.Recipients, sections);
        if (_written.GetValueOrDefault(manifest.Stack) == text) return;

        var failures = await RecoveryCard.PutAsync(repository, sections, cancellationToken);
        foreach (var failure in failures) LogNotWritten(manifest.Stack, failure.Store, failure.Message);
        if (failures.IsEmpty) _written[manifest.Stack] = text;
    }

    [LoggerMessage(EventId = 5544, Level = LogLevel.Warning, Message = "The recovery card of {Stack} could not be laid into the store {Store}; it is tried again with the next set: {Problem}")]
    private partial void LogNotWritten(string stack, string store, string problem);
}
