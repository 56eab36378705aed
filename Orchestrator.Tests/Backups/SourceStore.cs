using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Tests.Backups;

/// <summary>The real pipeline into a directory, for tests of one source: sets, a stream beside them, and a key to read both.</summary>
internal sealed class SourceStore
{
    private readonly AgeIdentity _key = AgeIdentity.Generate();
    private readonly BackupRepository _repository;
    private readonly List<BackupManifest> _sets = [];

    public SourceStore(string root)
    {
        Root = root;
        _repository = new BackupRepository("garden", [new DirectoryStore("here", root, TimeProvider.System)], [_key.Recipient], new CopyOptions(), TimeProvider.System);
    }

    public string Root { get; }

    /// <summary>As it stands in a key file.</summary>
    public string PrivateKey => _key.Export() + "\n";

    /// <summary>Told whenever a source says how far it is, before it goes on.</summary>
    public Action<BackupProgress>? Progress { get; set; }

    public BackupReader Reader => _repository.Reader([_key]);

    public IEnumerable<string> Keys => Directory.Exists(Root)
        ? Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Where(path => !path.Contains("/.pending/", StringComparison.Ordinal)).Select(path => Path.GetRelativePath(Root, path)).Order()
        : [];

    public BackupWriter NewSet() => _repository.WriterOfSet(Next, _sets, new Told(this));

    public BackupWriter Stream(string service) => _repository.WriterOfStream(service);

    public string PathOf(string key) => Path.Combine(Root, key);

    /// <summary>Makes a set of one part, as the engine would, so that the next one may use its objects.</summary>
    public async Task<BackupPart> KeepAsync(Func<BackupWriter, Task<BackupPart>> backup)
    {
        var id = Next;
        var part = await backup(NewSet());
        _sets.Add(new BackupManifest
        {
            Id = id,
            Stack = "garden",
            CreatedAt = TimeProvider.System.GetUtcNow(),
            Reason = "manual",
            Program = "test",
            Recipients = [_key.Recipient.ToString()],
            Parts = [part],
        });
        return part;
    }

    /// <summary>Publishes a set of one part with its recovery card, as it lies in a store for whoever has nothing of ours.</summary>
    public async Task<(BackupPart Part, BackupSetId Set)> PublishAsync(Func<BackupWriter, Task<BackupPart>> backup, Func<BackupPart, RecoverySection> card)
    {
        var writer = NewSet();
        var part = await KeepAsync(_ => backup(writer));
        await new SetKeeper(_repository).PublishAsync(_sets[^1], writer, CancellationToken.None);
        Assert.That(await RecoveryCard.PutAsync(_repository, [card(part)], CancellationToken.None), Is.Empty);
        return (part, _sets[^1].Id);
    }

    public async Task<byte[]> ContentAsync(BackupObject stored)
    {
        using var content = new MemoryStream();
        await Reader.ReadAsync(stored, (stream, token) => stream.CopyToAsync(content, token), CancellationToken.None);
        return content.ToArray();
    }

    private BackupSetId Next => BackupSetId.Of(_sets.Count + 1, TimeProvider.System.GetUtcNow());

    /// <summary>At once, and on the thread of whoever reports: later would be too late.</summary>
    private sealed class Told(SourceStore store) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => store.Progress?.Invoke(value);
    }
}
