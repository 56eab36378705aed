using Microsoft.Extensions.Time.Testing;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;

namespace Orchestrator.Tests.Backups.Keeping;

/// <summary>Who can read backups, and what becomes of it when a key vanishes.</summary>
public sealed class BackupKeysTests
{
    private readonly AgeIdentity _settings = AgeIdentity.Generate();
    private string _root = "";

    [SetUp]
    public void Make() => _root = Directory.CreateTempSubdirectory("basmalin-keys-").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_root, recursive: true);

    private string HostFile => Path.Combine(_root, "backup.key");

    [Test]
    public void One_key_alone_is_warned_of_and_a_second_one_ends_that()
    {
        var keys = Open();
        keys.MakeHostKey(onPurpose: false);
        var changed = 0;
        keys.Changed += () => changed++;

        Assert.That(keys.Problem, Is.EqualTo(keys.Problem! with { Blocking = false }));
        Assert.That(keys.Problem!.What, Does.Contain("Only one key"));
        var added = keys.Add(AgeIdentity.Generate().Recipient, "safe");

        Assert.That(keys.Problem, Is.Null);
        Assert.That(changed, Is.EqualTo(1));
        Assert.That(Open().Holders.Select(holder => (holder.Label, holder.IsHost)), Is.EqualTo(new[] { ("host", true), ("safe", false) }), "it is known after a restart");
        Assert.That(added.Fingerprint, Does.Match("^[0-9a-f]{16}$"));
        Assert.That(File.GetUnixFileMode(Path.Combine(_root, "backup.recipients")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public void A_key_that_has_vanished_is_a_loud_problem_and_no_other_is_made_in_silence()
    {
        Open().MakeHostKey(onPurpose: false);
        File.Delete(HostFile);
        var keys = Open();

        Assert.That(keys.Problem!.Blocking, Is.True);
        Assert.That(keys.Problem.What, Does.Contain("has vanished"));
        Assert.That(keys.Recipients, Is.Empty, "nothing is encrypted to a key that is lost");
        Assert.That(keys.Problem.Hint, Does.Contain("basmalin backup init --host-key"));
        Assert.Throws<BackupFailedException>(() => keys.MakeHostKey(onPurpose: false));
        Assert.That(File.Exists(HostFile), Is.False);

        var made = keys.MakeHostKey(onPurpose: true);
        Assert.That(keys.Recipients, Is.EqualTo(new[] { made }));
    }

    [Test]
    public void A_host_key_from_before_there_was_a_book_is_remembered()
    {
        var host = new DrillKey(HostFile).Create();
        Open();
        File.Delete(HostFile);

        Assert.That(Open().Problem!.What, Does.Contain(BackupKeys.FingerprintOf(host.Recipient.Value)));
    }

    [Test]
    public void Keys_are_exchanged_and_the_last_one_off_the_host_stays()
    {
        var keys = Open();
        keys.MakeHostKey(onPurpose: false);
        var old = keys.Add(AgeIdentity.Generate().Recipient, "old");

        Assert.That(Assert.Throws<BackupFailedException>(() => keys.Remove(old.Fingerprint))!.Message, Does.Contain("the only one that is not on this host"));
        var next = keys.Add(AgeIdentity.Generate().Recipient, "next");
        Assert.That(keys.Remove(old.Fingerprint).Label, Is.EqualTo("old"));
        Assert.That(keys.Holders.Select(holder => holder.Fingerprint), Does.Contain(next.Fingerprint).And.Not.Contains(old.Fingerprint));
        Assert.That(Assert.Throws<BackupFailedException>(() => keys.Remove(keys.Holders.Single(holder => holder.IsHost).Fingerprint))!.Message, Does.Contain("drills need it"));
        Assert.That(Assert.Throws<BackupFailedException>(() => keys.Add(next.Recipient, "again"))!.Message, Does.Contain("already"));
        Assert.That(Assert.Throws<BackupFailedException>(() => keys.Add(AgeIdentity.Generate().Recipient, "host"))!.Message, Does.Contain("no label"));
    }

    [Test]
    public void Those_of_the_settings_stand_there_and_are_not_removed_here()
    {
        var keys = new BackupKeys(new DrillKey(HostFile), new RecipientBook(Path.Combine(_root, "backup.recipients")), [_settings.Recipient], new FakeTimeProvider());
        keys.Load();
        keys.MakeHostKey(onPurpose: false);

        Assert.That(keys.Problem, Is.Null, "two can read the backups");
        Assert.That(Assert.Throws<BackupFailedException>(() => keys.Remove(_settings.Recipient.Value))!.Message, Does.Contain("stands in agent.yml"));
    }

    [Test]
    public void A_line_that_is_no_key_is_named()
    {
        File.WriteAllText(Path.Combine(_root, "backup.recipients"), "# ours\nage1nonsense recovery\n");

        Assert.That(Assert.Throws<BackupFailedException>(() => Open())!.Message, Does.Contain("backup.recipients:2: this is no public key of age"));
    }

    private BackupKeys Open()
    {
        var keys = new BackupKeys(new DrillKey(HostFile), new RecipientBook(Path.Combine(_root, "backup.recipients")), [], new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)));
        keys.Load();
        return keys;
    }
}
