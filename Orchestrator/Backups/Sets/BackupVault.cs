using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Encryption;
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

    /// <summary>Who can read what is written now.</summary>
    public ImmutableArray<AgeRecipient> Readers => options.Keys?.Recipients ?? options.Recipients;

    public ImmutableArray<string> Recipients => [.. Readers.Select(recipient => recipient.Value)];

    /// <summary>False: there is no place for backups, or nobody could read them.</summary>
    public bool MayWrite => !options.Stores.IsEmpty && !Readers.IsEmpty;

    /// <summary>To read from, also where nobody could read what would be written.</summary>
    /// <exception cref="BackupFailedException">No store is set up.</exception>
    public BackupRepository Repository(string stack)
    {
        if (options.Stores.IsEmpty) throw new BackupFailedException("No store for backups is set up", "Name one under backups.stores in agent.yml, and say 'basmalin backup init'.");
        return _repositories.GetOrAdd(stack, name => new(name, options.Stores, () => Readers, options.Pipeline, time, loggers.CreateLogger<BackupRepository>()));
    }

    /// <summary>To read from one store alone.</summary>
    /// <param name="store">Its name; null: all of them.</param>
    /// <exception cref="BackupFailedException">There is no such store.</exception>
    public BackupRepository Repository(string stack, string? store)
    {
        if (store is null) return Repository(stack);

        var only = options.Stores.Where(known => known.Name == store).ToImmutableArray();
        return only.IsEmpty
            ? throw new BackupFailedException($"There is no store {store}", $"The settings name these: {string.Join(", ", options.Stores.Select(known => known.Name))}.")
            : new(stack, only, () => Readers, options.Pipeline, time, loggers.CreateLogger<BackupRepository>());
    }

    /// <exception cref="BackupFailedException">No store, or no key, is set up.</exception>
    public BackupRepository ForWriting(string stack)
    {
        var repository = Repository(stack);
        if (!Readers.IsEmpty) return repository;

        throw options.Keys?.Problem is { Blocking: true } problem
            ? new BackupFailedException(problem.What, problem.Hint)
            : new BackupFailedException("There is no key to encrypt backups to", "Make one: basmalin backup init. Its private half is shown once, to be kept elsewhere.");
    }

    /// <summary>Reads with the keys that this host has.</summary>
    public BackupReader Reader(string stack) => Repository(stack).Reader(options.Identities());

    public BackupWriter Writer(BackupSetRecord set, IEnumerable<BackupManifest> earlier, OperationProgress progress) =>
        ForWriting(set.Stack).WriterOfSet(set.Id, earlier, new Relay(progress));

    /// <summary>The highest number of a set that any store knows of.</summary>
    public async Task<long> HighestAsync(string stack, CancellationToken cancellationToken)
    {
        var highest = 0L;
        foreach (var store in ForWriting(stack).Stores)
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
