using System.Collections.Immutable;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Tests.Agent.Hosting;

/// <summary>backups: in agent.yml.</summary>
public sealed class BackupStoreSettingsTests
{
    private string _directory = "";

    [SetUp]
    public void Make() => _directory = Directory.CreateTempSubdirectory("basmalin-stores-").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void Directories_and_buckets_are_named_stores()
    {
        File.WriteAllText(Path.Combine(_directory, "id"), "KEYID\n");
        File.WriteAllText(Path.Combine(_directory, "secret"), "not to be told\n");

        var settings = Load($$"""
            backups:
              directory: none
              stores:
                - { name: nas, directory: /mnt/nas }
                - { name: offsite, endpoint: "https://s3.example.org", bucket: backups, prefix: /hosts/one/, access_key_file: {{_directory}}/id, secret_key_file: {{_directory}}/secret, path_style: false, storage_class: STANDARD_IA }
            """);

        Assert.That(settings.Problems, Is.Empty);
        var backups = settings.Options!.Backups;
        Assert.That(backups.Local, Is.False);
        Assert.That(backups.Stores.Select(store => store.Name), Is.EqualTo(new[] { "nas", "offsite" }));
        Assert.That(backups.Stores[0].Directory, Is.EqualTo("/mnt/nas"));
        Assert.That(backups.Stores[1].Bucket, Is.EqualTo(new BackupBucketOptions
        {
            Endpoint = new Uri("https://s3.example.org"),
            Name = "backups",
            Prefix = "hosts/one",
            AccessKeyFile = $"{_directory}/id",
            SecretKeyFile = $"{_directory}/secret",
            PathStyle = false,
            StorageClass = "STANDARD_IA",
        }));
        var vault = Vault.Of(settings.Options with { Data = Path.Combine(_directory, "data") }, TimeProvider.System);
        Assert.That(vault.Stores.Select(store => store.Name), Is.EqualTo(new[] { "nas", "offsite" }), "local is left out");
    }

    [Test]
    public void Every_wrong_value_is_a_line_that_says_where()
    {
        File.WriteAllText(Path.Combine(_directory, "empty"), "");

        var settings = Load($$"""
            backups:
              stores:
                - { name: Local!, directory: relative }
                - { name: local, directory: /a }
                - { directory: /b }
                - { name: nothing }
                - { name: both, directory: /c, bucket: backups }
                - { name: half, endpoint: "ftp://s3.example.org", bucket: B, access_key_file: /nowhere/id, secret_key_file: {{_directory}}/empty, most_parts: 7 }
                - { name: open, endpoint: "http://s3.example.org", bucket: backups, access_key_file: /nowhere/id, secret_key_file: /nowhere/id, sign_payload: false, prefx: a }
            """);

        var lines = settings.Problems.Select(line => line[(line.IndexOf(": backups", StringComparison.Ordinal) + 2)..]).ToList();
        Assert.That(lines, Is.EquivalentTo(new[]
        {
            "backups.stores[0].name: found 'Local!', expected 1 to 40 of a-z, 0-9 and -, beginning with a letter",
            "backups.stores[0].directory: found 'relative', expected an absolute path",
            "backups.stores[1].name: 'local' is the name of another store",
            "backups.stores[2].name: is missing: each store is called by its name, in lists, metrics and alerts",
            "backups.stores[3].directory: is missing: a store is a directory, or a bucket with endpoint, bucket, access_key_file and secret_key_file",
            "backups.stores[4].bucket: is of a bucket, and this store is a directory: leave one of them out",
            "backups.stores[5].endpoint: found 'ftp://s3.example.org', expected an address that begins with https:// or http://",
            "backups.stores[5].bucket: found 'B', expected a bucket's name: 3 to 63 of a-z, 0-9, . and -",
            "backups.stores[5].access_key_file: there is no file /nowhere/id",
            $"backups.stores[5].secret_key_file: {_directory}/empty is empty",
            "backups.stores[5].most_parts: found '7', expected a number from 100 to 10000",
            "backups.stores[6].access_key_file: there is no file /nowhere/id",
            "backups.stores[6].secret_key_file: there is no file /nowhere/id",
            "backups.stores[6].sign_payload: may be false over https only: nothing else would protect the body",
            "backups.stores[6].prefx: unknown setting; did you mean 'prefix'?",
        }));
        Assert.That(settings.Problems.All(line => line.StartsWith(Path.Combine(_directory, "agent.yml"), StringComparison.Ordinal)), Is.True);
    }

    [Test]
    public void Without_the_local_directory_there_must_be_another_store() =>
        Assert.That(Load("backups: { directory: none }").Problems.Single(), Does.EndWith("backups.directory: is none, and there is no other store: backups would go nowhere. Name one under backups.stores"));

    private AgentSettings Load(string text)
    {
        var file = Path.Combine(_directory, "agent.yml");
        File.WriteAllText(file, text);
        return AgentFile.Load(file, ImmutableSortedDictionary<string, string>.Empty);
    }
}
