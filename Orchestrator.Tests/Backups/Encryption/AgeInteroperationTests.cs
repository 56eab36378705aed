using System.Text;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Tests.Backups.Encryption;

/// <summary>Against the age command of the distribution, both ways.</summary>
public sealed class AgeInteroperationTests
{
    /// <summary>Around the borders of a block, and one of many blocks.</summary>
    private static readonly int[] Sizes = [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 3_000_001];

    private readonly string _directory = Directory.CreateTempSubdirectory("basmalin-age-").FullName;

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_directory, recursive: true);

    [TestCaseSource(nameof(Sizes))]
    public async Task What_we_encrypt_age_decrypts_for_each_recipient(int size)
    {
        var (first, second) = (AgeIdentity.Generate(), AgeIdentity.Generate());
        var plain = Content(size);
        var file = Path.Combine(_directory, $"ours-{size}.age");
        await File.WriteAllBytesAsync(file, await AgeText.EncryptAsync(plain, first.Recipient, second.Recipient));

        foreach (var identity in new[] { first, second })
        {
            var (code, output, errors) = await Command.RunAsync("age", ["-d", "-i", KeyFile(identity), file]);

            Assert.That(code, Is.Zero, errors);
            Assert.That(output.AsSpan().SequenceEqual(plain), Is.True);
        }
    }

    [TestCaseSource(nameof(Sizes))]
    public async Task What_age_encrypts_we_decrypt_with_each_identity(int size)
    {
        var (first, second) = (AgeIdentity.Generate(), AgeIdentity.Generate());
        var plain = Content(size);
        var (code, stored, errors) = await Command.RunAsync("age", ["-r", first.Recipient.Value, "-r", second.Recipient.Value], plain);

        Assert.That(code, Is.Zero, errors);
        Assert.That((await AgeText.DecryptAsync(stored, first)).AsSpan().SequenceEqual(plain), Is.True);
        Assert.That((await AgeText.DecryptAsync(stored, AgeIdentity.Generate(), second)).AsSpan().SequenceEqual(plain), Is.True);
    }

    [Test]
    public async Task A_key_of_age_keygen_is_read_with_its_comments()
    {
        var file = Path.Combine(_directory, "keygen.key");
        var (code, _, errors) = await Command.RunAsync("age-keygen", ["-o", file]);
        Assert.That(code, Is.Zero, errors);

        var identities = AgeIdentity.ReadFile(file);

        var (_, published, _) = await Command.RunAsync("age-keygen", ["-y", file]);
        Assert.That(identities.Single().Recipient.Value, Is.EqualTo(Encoding.ASCII.GetString(published).Trim()));
        Assert.That(await File.ReadAllTextAsync(file), Does.Contain(identities.Single().Export()));
    }

    [Test]
    public async Task Age_agrees_about_our_keys()
    {
        var identity = AgeIdentity.Generate();

        var (code, published, errors) = await Command.RunAsync("age-keygen", ["-y", KeyFile(identity)]);

        Assert.That(code, Is.Zero, errors);
        Assert.That(Encoding.ASCII.GetString(published).Trim(), Is.EqualTo(identity.Recipient.Value));
    }

    [Test]
    public async Task A_recipient_of_another_kind_beside_ours_is_passed_over()
    {
        var identity = AgeIdentity.Generate();
        var ssh = Path.Combine(_directory, "ssh");
        // The first public key of RFC 8032, section 7.1, in the wire format of SSH.
        byte[] key = [0, 0, 0, 11, .. "ssh-ed25519"u8, 0, 0, 0, 32, .. Convert.FromHexString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")];
        await File.WriteAllTextAsync(ssh, $"ssh-ed25519 {Convert.ToBase64String(key)}\n");
        var (code, stored, errors) = await Command.RunAsync("age", ["-R", ssh, "-r", identity.Recipient.Value], "both"u8.ToArray());

        Assert.That(code, Is.Zero, errors);
        Assert.That(await AgeText.DecryptAsync(stored, identity), Is.EqualTo("both"u8.ToArray()));
    }

    private static byte[] Content(int size)
    {
        var content = new byte[size];
        new Random(size).NextBytes(content);
        return content;
    }

    private string KeyFile(AgeIdentity identity)
    {
        var file = Path.Combine(_directory, $"{Guid.NewGuid():N}.key");
        File.WriteAllText(file, $"# of a test\n{identity.Export()}\n");
        return file;
    }
}
