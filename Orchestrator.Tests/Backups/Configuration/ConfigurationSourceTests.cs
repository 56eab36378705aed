using System.Collections.Immutable;
using System.Text;
using Orchestrator.Backups;
using Orchestrator.Backups.Configuration;
using Orchestrator.Docker;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Secrets;
using Orchestrator.Stacks;
using Orchestrator.Tests.Journal;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Backups.Configuration;

/// <summary>A stack's record and secrets go into a set, and come out of it on a machine that has nothing.</summary>
public sealed class ConfigurationSourceTests
{
    private const string Value = "correct horse battery staple";

    [Test]
    public async Task Releases_and_secrets_come_back_under_their_versions_on_another_machine()
    {
        using var here = await JournalFixture.OpenAsync();
        using var there = await JournalFixture.OpenAsync();
        var (part, store) = await BackedUpAsync(here);

        var content = await ConfigurationSource.ReadAsync(part, store.Reader, CancellationToken.None);
        var secrets = new SecretStore(there.Database, KeyRing.Open(there.Directory["key"], hasSecrets: false), there.Time);
        await secrets.ImportAsync("garden", content.Secrets, CancellationToken.None);
        var record = StackExport.Read(content.Record);

        Assert.Multiple(() =>
        {
            Assert.That(record.Current, Is.EqualTo(1));
            Assert.That(record.Releases[0].Stack.Services[0].BasMalin!.Route!.Hosts, Is.EqualTo(new[] { "garden.example" }));
            Assert.That(content.Settings, Is.EqualTo("data: /var/lib/basmalin\n"));
        });
        Assert.That((await secrets.FindAsync("garden", "db", 2, CancellationToken.None))!.Reveal(), Is.EqualTo(Value));
        Assert.That((await secrets.FindAsync("garden", "db", 1, CancellationToken.None))!.Reveal(), Is.EqualTo("the one before"));
        Assert.That((await secrets.SetAsync("garden", "db", new Secret("next"), CancellationToken.None)).Version, Is.EqualTo(3), "no number is given twice");
    }

    [Test]
    public async Task The_copy_of_the_journal_is_whole()
    {
        using var here = await JournalFixture.OpenAsync();
        var (part, store) = await BackedUpAsync(here);
        using var directory = new TemporaryDirectory();
        await File.WriteAllBytesAsync(directory["journal.db"], await store.ContentAsync(part.Objects[1]));

        using var copy = await SqliteDatabase.OpenAsync(directory["journal.db"], here.Time, CancellationToken.None);

        Assert.That((await new SqliteJournal(copy, here.Time).FindStackAsync("garden", CancellationToken.None))!.CurrentRelease, Is.EqualTo(1));
    }

    [Test]
    public async Task No_secret_is_in_the_clear_in_the_store_nor_anywhere_on_the_way()
    {
        using var here = await JournalFixture.OpenAsync();
        var (part, store) = await BackedUpAsync(here);
        using var directory = new TemporaryDirectory();
        await SourceOf(here).RestoreAsync(part, Target(directory.Path), store.Reader, CancellationToken.None);

        foreach (var file in new[] { store.Root, here.Directory.Path, directory.Path }.SelectMany(root => Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)))
        {
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            await open.CopyToAsync(bytes);
            Assert.That(bytes.GetBuffer().AsSpan(0, (int)bytes.Length).IndexOf(Encoding.UTF8.GetBytes(Value)), Is.LessThan(0), file);
        }

        // The same search does find it where it is, so it would have been found.
        Assert.That((await store.ContentAsync(part.Objects[0])).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Value)), Is.GreaterThan(0));
        Assert.That(Directory.EnumerateFiles(here.Directory["work"]), Is.Empty);
    }

    private static async Task<(BackupPart Part, SourceStore Store)> BackedUpAsync(JournalFixture here)
    {
        var secrets = SecretsOf(here);
        await secrets.SetAsync("garden", "db", new Secret("the one before"), CancellationToken.None);
        await secrets.SetAsync("garden", "db", new Secret(Value), CancellationToken.None);
        await here.Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        await here.Journal.SaveStackAsync(JournalFixture.State("garden", 1), CancellationToken.None);
        await File.WriteAllTextAsync(here.Directory["agent.yml"], "data: /var/lib/basmalin\n");
        var store = new SourceStore(here.Directory["store"]);
        return (await store.KeepAsync(writer => SourceOf(here).BackupAsync(Subject, writer, CancellationToken.None)), store);
    }

    private static SecretStore SecretsOf(JournalFixture here) => new(here.Database, KeyRing.Open(here.Directory["key"], hasSecrets: false), here.Time);

    private static ConfigurationSource SourceOf(JournalFixture here) =>
        new(here.Journal, SecretsOf(here), here.Database, new ConfigurationSourceOptions(here.Directory["work"], here.Directory["agent.yml"]));

    private static RestoreTarget Target(string directory) => new()
    {
        Stack = "garden",
        Service = Service,
        Image = "none",
        Directories = ImmutableSortedDictionary<string, string>.Empty.Add("/", directory),
        Point = new RestorePoint.OfSet(),
    };

    private static ServiceSpec Service { get; } = new() { Name = "@stack", Role = ServiceRole.Stateful, Coloured = false, Image = "none", Container = new ContainerSettings() };

    private static BackupSubject Subject { get; } = new()
    {
        Stack = "garden",
        Service = Service,
        Container = new ObservedContainer
        {
            Id = new ContainerId("none"),
            Name = "none",
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            State = ContainerState.Running,
            ImageId = "none",
        },
        Image = "none",
        Address = "none",
    };
}
