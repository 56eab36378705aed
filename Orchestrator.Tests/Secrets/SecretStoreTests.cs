using System.Text.Json;
using Orchestrator.Journal;
using Orchestrator.Secrets;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Secrets;

[TestFixture]
public sealed class SecretStoreTests
{
    private JournalFixture _fixture = null!;
    private SecretStore _secrets = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _fixture = await JournalFixture.OpenAsync();
        _secrets = new SecretStore(_fixture.Database, KeyRing.Open(_fixture.Directory["key"], hasSecrets: false), _fixture.Time);
    }

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task Setting_a_secret_again_makes_a_version_and_keeps_the_old_one()
    {
        await SetAsync("db", "one");
        await SetAsync("db", "two ü");

        Assert.That(await RevealAsync("db", null), Is.EqualTo("two ü"));
        Assert.That(await RevealAsync("db", 1), Is.EqualTo("one"));
        Assert.That(await RevealAsync("db", 3), Is.Null);
        Assert.That(await _secrets.CurrentAsync("garden", CancellationToken.None), Is.EqualTo(new Dictionary<string, int> { ["db"] = 2 }));
        Assert.That(await _secrets.ListAsync("garden", CancellationToken.None), Is.EqualTo(new[]
        {
            new SecretVersion("db", 2, _fixture.Time.GetUtcNow()), new SecretVersion("db", 1, _fixture.Time.GetUtcNow()),
        }));
        Assert.That(await _secrets.ListAsync("shop", CancellationToken.None), Is.Empty);
    }

    [Test]
    public async Task A_removed_secret_is_there_for_old_releases_only_and_its_numbers_do_not_come_back()
    {
        await SetAsync("db", "one");

        Assert.That(await _secrets.RemoveAsync("garden", "db", CancellationToken.None), Is.True);
        Assert.That(await _secrets.RemoveAsync("garden", "db", CancellationToken.None), Is.False);
        Assert.That(await RevealAsync("db", null), Is.Null);
        Assert.That(await RevealAsync("db", 1), Is.EqualTo("one"));
        Assert.That((await SetAsync("db", "two")).Version, Is.EqualTo(2));
    }

    [Test]
    public async Task Pruning_leaves_the_newest_and_what_a_release_uses()
    {
        foreach (var value in new[] { "1", "2", "3", "4" }) await SetAsync("db", value);
        await SetAsync("gone", "1");
        await _secrets.RemoveAsync("garden", "gone", CancellationToken.None);
        await _secrets.SetWebhookAsync("garden", new Secret("hook"), CancellationToken.None);

        var pruned = await _secrets.PruneAsync("garden", new HashSet<(string, int)> { ("db", 2) }, CancellationToken.None);

        Assert.That(pruned, Is.EqualTo(3));
        Assert.That((await _secrets.ListAsync("garden", CancellationToken.None)).Select(version => version.Version), Is.EqualTo(new[] { 4, 2 }));
        Assert.That(await RevealAsync("gone", 1), Is.Null);
        Assert.That(await _secrets.WebhookAsync("garden", CancellationToken.None), Has.Length.EqualTo(1));
    }

    [TestCase("UPDATE secrets SET name = 'other'", "other", 1)]
    [TestCase("UPDATE secrets SET version = 2", "db", 2)]
    [TestCase("UPDATE secrets SET sealed = zeroblob(40)", "db", 1)]
    [TestCase("UPDATE secrets SET sealed = x'00'", "db", 1)]
    public async Task A_value_opens_only_as_what_it_was_sealed_for(string sql, string name, int version)
    {
        await SetAsync("db", "one");
        await _fixture.Database.WriteAsync(session => { session.Execute(sql); }, CancellationToken.None);

        Assert.That(async () => await _secrets.FindAsync("garden", name, version, CancellationToken.None),
            Throws.TypeOf<JournalException>().With.Message.Contains("does not open"));
    }

    [Test]
    public async Task The_value_is_nowhere_in_the_files()
    {
        await SetAsync("db", "correct horse battery staple");
        _fixture.Database.Dispose();

        var content = await File.ReadAllBytesAsync(_fixture.Database.Path);

        Assert.That(content.AsSpan().IndexOf("correct horse"u8), Is.EqualTo(-1));
    }

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("../key")]
    [TestCase("a\n")]
    [TestCase("basmalin.webhook")]
    public void A_name_that_is_none_or_is_ours_is_refused(string name) =>
        Assert.That(async () => await SetAsync(name, "x"), Throws.ArgumentException);

    [Test]
    public async Task A_webhook_secret_is_changed_for_another_with_both_valid_in_between()
    {
        foreach (var value in new[] { "one", "two", "three" }) await _secrets.SetWebhookAsync("garden", new Secret(value), CancellationToken.None);

        Assert.That((await _secrets.WebhookAsync("garden", CancellationToken.None)).Select(secret => secret.Reveal()), Is.EqualTo(new[] { "three", "two" }));
        await _secrets.RetireWebhookAsync("garden", CancellationToken.None);
        Assert.That((await _secrets.WebhookAsync("garden", CancellationToken.None)).Select(secret => secret.Reveal()), Is.EqualTo(new[] { "three" }));
        Assert.That(await _secrets.ListAsync("garden", CancellationToken.None), Is.Empty, "it is the daemon's own");
    }

    [Test]
    public void A_secret_does_not_print()
    {
        var secret = new Secret("value");

        Assert.That($"{secret}", Is.EqualTo("***"));
        Assert.That(JsonSerializer.Serialize(new { secret }), Is.EqualTo("""{"secret":"***"}"""));
        Assert.That(secret, Is.EqualTo(new Secret("value")));
        Assert.That(secret, Is.Not.EqualTo(new Secret("other")));
    }

    private Task<SecretVersion> SetAsync(string name, string value) => _secrets.SetAsync("garden", name, new Secret(value), CancellationToken.None);

    private async Task<string?> RevealAsync(string name, int? version) =>
        (await _secrets.FindAsync("garden", name, version, CancellationToken.None))?.Reveal();
}
