using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Benchmarks.Backup;

/// <summary>A directory that sets are written to: compressed, encrypted for two keys, read back and verified, as ever.</summary>
internal sealed class BenchStore
{
    private readonly string _root;
    private readonly DirectoryStore _store;
    private readonly AgeIdentity _identity = AgeIdentity.Generate();
    private readonly BackupRepository _repository;

    public BenchStore(string directory, string stack, string name)
    {
        _root = Path.Combine(directory, $"store-{name}");
        _store = new("disk", _root, TimeProvider.System);
        _repository = new(stack, [_store], [_identity.Recipient, AgeIdentity.Generate().Recipient], new CopyOptions(), TimeProvider.System);
        Writer = _repository.WriterOfSet(BackupSetId.Of(1, DateTimeOffset.UnixEpoch), [], null);
    }

    /// <summary>Of the first set.</summary>
    public BackupWriter Writer { get; }

    public BackupWriter Stream => _repository.WriterOfStream("db");

    public BackupReader Reader => _repository.Reader([_identity]);

    /// <param name="first">What the set before has: unchanged content is not copied again.</param>
    public BackupWriter After(BackupPart first) => _repository.WriterOfSet(
        BackupSetId.Of(2, DateTimeOffset.UnixEpoch),
        [new() { Id = BackupSetId.Of(1, DateTimeOffset.UnixEpoch), Stack = _repository.Stack, CreatedAt = DateTimeOffset.UnixEpoch, Reason = "manual", Program = "benchmark", Recipients = [_identity.Recipient.ToString()], Parts = [first] }],
        null);

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => _store.DeleteAsync(key, cancellationToken);

    public void Remove()
    {
        if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
    }
}
