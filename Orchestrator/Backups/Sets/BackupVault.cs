using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Sets;

/// <summary>All stores together, as sets see them.</summary>
public sealed partial class BackupVault(VaultOptions options, TimeProvider time, ILoggerFactory loggers)
{
    private readonly ConcurrentDictionary<string, BackupRepository> _repositories = new(StringComparer.Ordinal);
    private readonly ILogger<BackupVault> _logger = loggers.CreateLogger<BackupVault>();

    public VaultOptions Options => options;

    public string Program => options.Program;

    public ImmutableArray<string> Recipients => [.. options.Recipients.Select(recipient => recipient.Value)];

    /// <exception cref="BackupFailedException">No store, or no key, is set up.</exception>
    public BackupRepository Repository(string stack)
    {
        if (options.Stores.IsEmpty) throw new BackupFailedException("No store for backups is set up", "Name one under backups.stores in agent.yml, and say 'basmalin backup init'.");
        if (options.Recipients.IsEmpty) throw new BackupFailedException("There is no key to encrypt backups to", "Make one: basmalin backup init. Its private half is shown once, to be kept elsewhere.");
        return _repositories.GetOrAdd(stack, name => new(name, options.Stores, options.Recipients, options.Pipeline, time, loggers.CreateLogger<BackupRepository>()));
    }

    /// <summary>Reads with the keys that this host has.</summary>
    public BackupReader Reader(string stack) => Repository(stack).Reader(options.Identities());

    public BackupWriter Writer(BackupSetRecord set, IEnumerable<BackupManifest> earlier, OperationProgress progress) =>
        Repository(set.Stack).WriterOfSet(set.Id, earlier, new Relay(progress));

    /// <summary>The highest number of a set that any store knows of.</summary>
    public async Task<long> HighestAsync(string stack, CancellationToken cancellationToken)
    {
        var highest = 0L;
        foreach (var store in Repository(stack).Stores)
        {
            try
            {
                await foreach (var item in store.ListAsync(BackupLayout.Sets(stack), cancellationToken)) highest = Math.Max(highest, SequenceIn(stack, item.Key));
            }
            catch (BackupStoreException away)
            {
                LogNotListed(store.Name, away.Message);
            }
        }

        return highest;
    }

    /// <summary>The manifest, last and at once, into every store that has all of the set.</summary>
    /// <returns>Store → <see cref="BackupSetRecord.Whole"/>, or what is wrong with the set there.</returns>
    /// <exception cref="BackupFailedException">No store has the whole of it.</exception>
    public async Task<ImmutableSortedDictionary<string, string>> PublishAsync(BackupManifest manifest, BackupWriter writer, CancellationToken cancellationToken)
    {
        var publication = await new SetKeeper(Repository(manifest.Stack)).PublishAsync(manifest, writer, cancellationToken);
        return publication.Published.Select(store => KeyValuePair.Create(store, BackupSetRecord.Whole))
            .Concat(publication.Failures.Select(failure => KeyValuePair.Create(failure.Store, failure.Message)))
            .ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    /// <summary>Reads every object, and the manifest, back from every store.</summary>
    public async Task<ImmutableSortedDictionary<string, string>> VerifyAsync(BackupManifest manifest, OperationProgress progress, CancellationToken cancellationToken)
    {
        var catalogue = await CatalogueAsync(manifest.Stack, cancellationToken);
        var listed = catalogue.Sets.FirstOrDefault(set => set.Manifest.Id == manifest.Id)?.Stores ?? [];
        var zones = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var store in Repository(manifest.Stack).Stores)
        {
            var problem = listed.Contains(store.Name) ? null : catalogue.Failures.FirstOrDefault(failure => failure.Store == store.Name)?.Message ?? "its manifest is not there";
            var done = 0L;
            foreach (var item in manifest.Parts.SelectMany(part => part.Objects))
            {
                if (problem is not null) break;
                progress.Report($"{store.Name}: reading back", done, manifest.StoredBytes);
                problem = (await StoredObjectCheck.ReadBackAsync(store, item, cancellationToken)) is { } wrong ? $"{wrong.Key}: {wrong.Message}" : null;
                done += item.StoredBytes;
            }

            zones[store.Name] = problem ?? BackupSetRecord.Whole;
        }

        return zones.ToImmutable();
    }

    /// <summary>All sets that any store holds.</summary>
    public Task<SetCatalogue> CatalogueAsync(string stack, CancellationToken cancellationToken) => new SetKeeper(Repository(stack)).ListAsync(cancellationToken);

    /// <summary>Takes away what was written of a set that was never published. A store that does not answer keeps it until the next sweep.</summary>
    public async Task DiscardAsync(string stack, BackupSetId set, CancellationToken cancellationToken)
    {
        foreach (var store in options.Stores)
        {
            try
            {
                var left = new List<string>();
                await foreach (var item in store.ListAsync(BackupLayout.Set(stack, set), cancellationToken)) left.Add(item.Key);
                if (left.Any(key => key.EndsWith("/" + BackupLayout.Manifest, StringComparison.Ordinal))) continue;      // it was published after all
                foreach (var key in left) await store.DeleteAsync(key, cancellationToken);
            }
            catch (BackupStoreException away)
            {
                LogNotListed(store.Name, away.Message);
            }
        }
    }

    private static long SequenceIn(string stack, string key) =>
        key[BackupLayout.Sets(stack).Length..].Split('-')[0] is var number && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : 0;

    [LoggerMessage(EventId = 5540, Level = LogLevel.Warning, Message = "The store {Store} could not be asked: {Problem}")]
    private partial void LogNotListed(string store, string problem);

    private sealed class Relay(OperationProgress progress) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => progress.Report(value.What, value.Bytes, value.Of);
    }
}
