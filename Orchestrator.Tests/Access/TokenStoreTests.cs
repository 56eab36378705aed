using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Access;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Access;

[TestFixture]
public sealed class TokenStoreTests
{
    private JournalFixture _fixture = null!;
    private TokenStore _tokens = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _fixture = await JournalFixture.OpenAsync();
        _tokens = new TokenStore(_fixture.Database, _fixture.Time, NullLogger<TokenStore>.Instance);
    }

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task A_token_opens_until_it_is_revoked()
    {
        var token = await CreateAsync("ci");

        Assert.That(token, Does.Match("^bm_[A-Za-z0-9_-]{43}$"));
        Assert.That((await _tokens.VerifyAsync(token, CancellationToken.None))?.Name, Is.EqualTo("ci"));
        Assert.That(await _tokens.RevokeAsync("ci", CancellationToken.None), Is.True);
        Assert.That(await _tokens.VerifyAsync(token, CancellationToken.None), Is.Null);
        Assert.That(await _tokens.RevokeAsync("ci", CancellationToken.None), Is.False);
    }

    [TestCase("")]
    [TestCase("bm_")]
    [TestCase("bm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [TestCase("somebody else's")]
    public async Task What_is_no_token_does_not_open(string presented)
    {
        await CreateAsync("ci");

        Assert.That(await _tokens.VerifyAsync(presented, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task The_token_itself_is_nowhere_in_the_files()
    {
        var token = await CreateAsync("ci");
        _fixture.Database.Dispose();

        var content = await File.ReadAllBytesAsync(_fixture.Database.Path);

        Assert.That(content.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(token[3..])), Is.EqualTo(-1));
    }

    [Test]
    public async Task A_name_is_given_once()
    {
        await CreateAsync("ci");

        Assert.That(await _tokens.CreateAsync("ci", TokenScope.Read, null, null, CancellationToken.None), Is.Null);
        Assert.That((await _tokens.ListAsync(CancellationToken.None)).Single().Scope, Is.EqualTo(TokenScope.Deploy), "the first one is untouched");
    }

    [Test]
    public async Task A_token_ends_at_its_time()
    {
        var expires = _fixture.Time.GetUtcNow() + TimeSpan.FromHours(1);
        var token = (await _tokens.CreateAsync("short", TokenScope.Read, null, expires, CancellationToken.None))!.Reveal();

        _fixture.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.That(await _tokens.VerifyAsync(token, CancellationToken.None), Is.Not.Null);
        _fixture.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(await _tokens.VerifyAsync(token, CancellationToken.None), Is.Null);
        Assert.That((await _tokens.ListAsync(CancellationToken.None)).Single().ExpiresAt, Is.EqualTo(expires));
    }

    [Test]
    public async Task Its_last_use_is_noted_once_a_minute()
    {
        var token = await CreateAsync("ci");
        var first = _fixture.Time.GetUtcNow();
        await _tokens.VerifyAsync(token, CancellationToken.None);
        _fixture.Time.Advance(TimeSpan.FromSeconds(59));
        await _tokens.VerifyAsync(token, CancellationToken.None);

        Assert.That((await _tokens.ListAsync(CancellationToken.None)).Single().LastUsed, Is.EqualTo(first));
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await _tokens.VerifyAsync(token, CancellationToken.None))?.LastUsed, Is.EqualTo(_fixture.Time.GetUtcNow()));
    }

    [Test]
    public async Task A_full_disk_locks_nobody_out()
    {
        var token = await CreateAsync("ci");
        await _fixture.Database.PragmaAsync("query_only = ON");

        Assert.That(await _tokens.VerifyAsync(token, CancellationToken.None), Is.Not.Null);
    }

    [TestCase(TokenScope.Read, null, TokenScope.Read, "garden", true)]
    [TestCase(TokenScope.Read, null, TokenScope.Deploy, "garden", false)]
    [TestCase(TokenScope.Deploy, "garden", TokenScope.Deploy, "garden", true)]
    [TestCase(TokenScope.Deploy, "garden", TokenScope.Read, "shop", false)]
    [TestCase(TokenScope.Admin, "garden", TokenScope.Read, null, false)]
    [TestCase(TokenScope.Admin, null, TokenScope.Read, null, true)]
    public void A_scope_includes_the_lower_ones_and_ends_at_its_stack(TokenScope scope, string? of, TokenScope needed, string? stack, bool allowed)
    {
        var token = new Token { Name = "t", Scope = scope, Stack = of, CreatedAt = default };

        Assert.That(token.Allows(needed, stack), Is.EqualTo(allowed));
    }

    private async Task<string> CreateAsync(string name) =>
        (await _tokens.CreateAsync(name, TokenScope.Deploy, "garden", null, CancellationToken.None))!.Reveal();
}
