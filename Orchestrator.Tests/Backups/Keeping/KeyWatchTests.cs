using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Backups.Stores;
using Orchestrator.Scheduling;
using Orchestrator.Tests.Backups.Pipeline;
using Orchestrator.Tests.Journal;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Backups.Keeping;

/// <summary>Today's newest set is decrypted with the host's own key.</summary>
public sealed class KeyWatchTests
{
    private readonly List<BackupAlert> _alerts = [];
    private AgeIdentity _host = AgeIdentity.Generate();
    private JournalFixture _journal = null!;
    private string _root = "";
    private BackupVault _vault = null!;
    private KeyWatch _watch = null!;

    [SetUp]
    public async Task MakeAsync()
    {
        _alerts.Clear();
        _root = Directory.CreateTempSubdirectory("basmalin-canary-").FullName;
        _journal = await JournalFixture.OpenAsync();
        _host = AgeIdentity.Generate();
        var own = _host;
        _vault = new BackupVault(
            new() { Stores = [new DirectoryStore("near", _root, TimeProvider.System)], Recipients = [own.Recipient], Identities = () => [_host] }, _journal.Time, NullLoggerFactory.Instance);
        var alerts = new BackupAlerts(_journal.Time, NullLogger<BackupAlerts>.Instance);
        alerts.Raised += _alerts.Add;
        _watch = new KeyWatch(_vault, new SetLedger(_journal.Database, _journal.Time), _journal.Journal, alerts, _journal.Time, NullLogger<KeyWatch>.Instance);
    }

    [TearDown]
    public void Remove()
    {
        _journal.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Test]
    public async Task A_set_that_the_key_opens_is_no_news_and_one_that_it_does_not_open_is_told_once_a_day()
    {
        var set = await SetAsync();
        await _watch.CheckAsync(set, CancellationToken.None);
        Assert.That(_alerts, Is.Empty);

        _host = AgeIdentity.Generate();
        await _watch.CheckAsync(set, CancellationToken.None);
        Assert.That(_alerts, Is.Empty, "it was looked at today");

        _journal.Time.Advance(TimeSpan.FromHours(25));
        await _watch.CheckAsync(set, CancellationToken.None);
        await _watch.CheckAsync(set, CancellationToken.None);

        Assert.That(_alerts.Single().Event, Is.EqualTo("key.failed"));
        Assert.That(_alerts.Single().Problem, Does.Contain("was not encrypted for the key of this host"));
    }

    [Test]
    public async Task An_object_that_cannot_be_decrypted_is_told_of()
    {
        var set = await SetAsync();
        var file = Path.Combine(_root, set.Parts[0].Objects[0].Key);
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[^3] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        await _watch.CheckAsync(set, CancellationToken.None);

        Assert.That(_alerts.Single().Subject, Is.EqualTo(set.Id.Value));
    }

    [TestCase(false, TestName = "A host key is made where every store answers and none has anything")]
    [TestCase(true, TestName = "No host key is made in silence where a store has sets already")]
    public async Task The_stores_decide_whether_this_is_a_new_host(bool used)
    {
        if (used) await ManifestFile.PutAsync(_vault.Options.Stores[0], BackupLayout.StackMark("garden"), "There are backups of this stack here.\n"u8.ToArray(), CancellationToken.None);
        using var data = new TemporaryDirectory();
        var keys = new BackupKeys(new DrillKey(data["backup.key"]), new RecipientBook(data["backup.recipients"]), [], _journal.Time);
        keys.Load();
        var vault = new BackupVault(_vault.Options with { Recipients = [], Keys = keys }, _journal.Time, NullLoggerFactory.Instance);
        var alerts = new BackupAlerts(_journal.Time, NullLogger<BackupAlerts>.Instance);
        alerts.Raised += _alerts.Add;
        var watch = new KeyWatch(vault, new SetLedger(_journal.Database, _journal.Time), _journal.Journal, alerts, _journal.Time, NullLogger<KeyWatch>.Instance);

        await watch.LookAsync(CancellationToken.None);

        Assert.That(keys.HasHostKey, Is.EqualTo(!used));
        Assert.That(vault.MayWrite, Is.EqualTo(!used), "nothing is written that nobody could read");
        Assert.That(_alerts.Select(alert => alert.Event), used ? Is.EqualTo(new[] { "key.failed" }) : Is.Empty);
    }

    private async Task<BackupManifest> SetAsync()
    {
        var writer = _vault.Repository("garden").WriterOfSet(BackupSetId.Of(1, Manifests.At(1)), [], null);
        var item = await writer.WriteAsync("postgres/base.tar", (stream, token) => stream.WriteAsync(new byte[100], token).AsTask(), CancellationToken.None);
        return Manifests.Of(1, item) with { Recipients = [_host.Recipient.Value] };
    }
}
