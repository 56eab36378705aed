using System.Text;
using CsCheck;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Tests.Backups.Encryption;

/// <summary>What must not be readable is not, and says why.</summary>
public sealed class AgeFaultTests
{
    private static readonly AgeIdentity Identity = AgeIdentity.Generate();

    /// <summary>Three blocks, the last one full: the borders are where a careless reader is content.</summary>
    private byte[] _plain = [];
    private byte[] _stored = [];

    [OneTimeSetUp]
    public async Task Write()
    {
        _plain = new byte[3 * 65_536];
        new Random(7).NextBytes(_plain);
        _stored = await AgeText.EncryptAsync(_plain, Identity.Recipient);
    }

    [Test]
    public async Task Cut_anywhere_in_the_header_or_around_a_border_it_is_refused()
    {
        var header = _stored.Length - (3 * 65_552) - 16;
        var cuts = Enumerable.Range(0, header + 40).Concat(Enumerable.Range(0, 4).SelectMany(block => Enumerable.Range(header + 16 + (block * 65_552) - 20, 40)));

        foreach (var cut in cuts.Where(cut => cut < _stored.Length).Distinct())
            Assert.That(await AgeText.FaultOfAsync(_stored[..cut], Identity), Is.AnyOf(AgeFault.Truncated, AgeFault.NotAge), $"cut at {cut} of {_stored.Length}");
    }

    [Test]
    public async Task Cut_at_a_border_of_blocks_it_says_that_it_is_truncated()
    {
        var failure = (await Assert.ThrowsAsync<AgeException>(() => AgeText.DecryptAsync(_stored[..^65_552], Identity)))!;

        Assert.That(failure.Fault, Is.EqualTo(AgeFault.Truncated));
        Assert.That(failure.Message, Does.Contain("more was written"));
    }

    [Test]
    public Task Cut_at_any_byte_it_is_refused() => Gen.Int[0, _stored.Length - 1].SampleAsync(
        async cut => await AgeText.FaultOfAsync(_stored[..cut], Identity) is AgeFault.Truncated or AgeFault.NotAge, iter: 300);

    [Test]
    public Task Any_flipped_bit_is_noticed() => Gen.Select(Gen.Int[0, _stored.Length - 1], Gen.Int[0, 7]).SampleAsync(
        async flip =>
        {
            var changed = _stored.ToArray();
            changed[flip.Item1] ^= (byte)(1 << flip.Item2);
            return await AgeText.FaultOfAsync(changed, Identity) is not null;
        },
        iter: 300);

    [Test]
    public async Task Any_flipped_bit_of_the_header_is_noticed()
    {
        var header = _stored.Length - (3 * 65_552) - 16;
        for (var bit = 0; bit < header * 8; bit++)
        {
            var changed = _stored.ToArray();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.That(await AgeText.FaultOfAsync(changed, Identity), Is.Not.Null, $"bit {bit}");
        }
    }

    [Test]
    public async Task Blocks_that_are_swapped_left_out_twice_or_added_are_noticed()
    {
        var head = _stored[..^(3 * 65_552)];
        var blocks = _stored[head.Length..].Chunk(65_552).ToArray();

        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await AgeText.FaultOfAsync([.. head, .. blocks[1], .. blocks[0], .. blocks[2]], Identity), Is.EqualTo(AgeFault.Changed));
            Assert.That(await AgeText.FaultOfAsync([.. head, .. blocks[0], .. blocks[2]], Identity), Is.Not.Null);
            Assert.That(await AgeText.FaultOfAsync([.. head, .. blocks[0], .. blocks[0], .. blocks[1], .. blocks[2]], Identity), Is.EqualTo(AgeFault.Changed));
            Assert.That(await AgeText.FaultOfAsync([.. _stored, 0], Identity), Is.EqualTo(AgeFault.Changed));
            Assert.That(await AgeText.FaultOfAsync([.. _stored, .. blocks[0]], Identity), Is.EqualTo(AgeFault.Changed));
        });
    }

    [Test]
    public async Task Without_its_end_being_written_it_is_truncated()
    {
        using var output = new MemoryStream();
        await using (var encrypting = new AgeEncryptingStream(output, [Identity.Recipient])) await encrypting.WriteAsync(_plain);

        Assert.That(await AgeText.FaultOfAsync(output.ToArray(), Identity), Is.EqualTo(AgeFault.Truncated));
    }

    [Test]
    public async Task The_wrong_key_is_called_so()
    {
        var failure = (await Assert.ThrowsAsync<AgeException>(() => AgeText.DecryptAsync(_stored, AgeIdentity.Generate())))!;

        Assert.That(failure.Fault, Is.EqualTo(AgeFault.WrongKey));
        Assert.That(failure.Message, Does.Contain("1 recipient(s)"));
    }

    [Test]
    public async Task What_is_no_age_file_is_called_so()
    {
        Assert.That(await AgeText.FaultOfAsync([], Identity), Is.EqualTo(AgeFault.NotAge));
        Assert.That(await AgeText.FaultOfAsync("PGDMP and so on\n"u8.ToArray(), Identity), Is.EqualTo(AgeFault.NotAge));
        Assert.That(await AgeText.FaultOfAsync("age-encryption.org/v2\n-> X 1\n\n--- AAAA\n"u8.ToArray(), Identity), Is.EqualTo(AgeFault.NotAge));
        Assert.That(await AgeText.FaultOfAsync(new byte[2_000_000], Identity), Is.EqualTo(AgeFault.NotAge));
    }

    [Test]
    public async Task A_header_without_end_is_refused_before_it_takes_memory()
    {
        var endless = new StringBuilder("age-encryption.org/v1\n");
        for (var entry = 0; entry < 20_000; entry++) endless.Append("-> grease ").Append(entry).Append("\n\n");

        Assert.That(await AgeText.FaultOfAsync(Encoding.ASCII.GetBytes(endless.ToString()), Identity), Is.EqualTo(AgeFault.NotAge));
        Assert.That(await AgeText.FaultOfAsync(Encoding.ASCII.GetBytes("age-encryption.org/v1\n-> " + new string('a', 1_000_000)), Identity), Is.EqualTo(AgeFault.NotAge));
    }

    [Test]
    public Task Nonsense_in_the_header_is_refused_and_never_worse() =>
        Gen.Select(Gen.Int[0, 400], Gen.Int[0, 400], Gen.Byte.Array[0, 40]).SampleAsync(
            async change =>
            {
                var (from, length) = (Math.Min(change.Item1, _stored.Length), change.Item2 % 30);
                byte[] changed = [.. _stored[..from], .. change.Item3, .. _stored[Math.Min(_stored.Length, from + length)..]];
                return changed.AsSpan().SequenceEqual(_stored) || await AgeText.FaultOfAsync(changed, Identity) is not null;
            },
            iter: 2000);

    [Test]
    public async Task Whatever_the_size_it_comes_back()
    {
        var sizes = Gen.OneOf(Gen.Int[0, 200_000], Gen.Int[0, 3].Select(Gen.Int[-2, 2], (blocks, off) => Math.Max(0, (blocks * 65_536) + off)));
        await sizes.SampleAsync(
            async size =>
            {
                var plain = _plain.Concat(_plain).Take(size).ToArray();
                return (await AgeText.DecryptAsync(await AgeText.EncryptAsync(plain, Identity.Recipient), Identity)).AsSpan().SequenceEqual(plain);
            },
            iter: 60);
    }

    [TestCase("age1qqq", false)]
    [TestCase("ssh-ed25519 AAAA", false)]
    [TestCase("", false)]
    public void Recipients_are_checked(string text, bool valid) => Assert.That(AgeRecipient.TryParse(text, out _), Is.EqualTo(valid));

    [Test]
    public void A_mistyped_letter_of_a_recipient_or_a_key_is_noticed()
    {
        foreach (var (text, parse) in new (string, Func<string, bool>)[]
        {
            (Identity.Recipient.Value, text => AgeRecipient.TryParse(text, out _)),
            (Identity.Export(), text => AgeIdentity.TryParse(text, out _)),
        })
        {
            Assert.That(parse(text), Is.True);
            for (var index = 0; index < text.Length; index++)
            {
                var other = text.ToCharArray();
                other[index] = char.ToUpperInvariant(other[index]) == 'Q' ? (char.IsAsciiLetterUpper(text[0]) ? 'P' : 'p') : (char.IsAsciiLetterUpper(text[0]) ? 'Q' : 'q');
                Assert.That(parse(new string(other)), Is.False, $"letter {index}");
            }
        }
    }

    [Test]
    public void A_key_never_prints_itself() => Assert.That($"{Identity}", Does.Not.Contain("SECRET").And.Contains(Identity.Recipient.Value));

    [Test]
    public void A_key_file_that_is_not_there_or_holds_something_else_says_so_without_quoting_it()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, $"# comment\n\n{Identity.Recipient}\n");
            var wrong = Assert.Throws<BackupFailedException>(() => AgeIdentity.ReadFile(file))!;
            File.WriteAllText(file, "# only a comment\n");
            var empty = Assert.Throws<BackupFailedException>(() => AgeIdentity.ReadFile(file))!;
            File.Delete(file);
            var gone = Assert.Throws<BackupFailedException>(() => AgeIdentity.ReadFile(file))!;

            Assert.That(wrong.Message, Does.Contain($"{file}:3").And.Not.Contains("age1"));
            Assert.That(wrong.Hint, Does.Contain("public half"));
            Assert.That(empty.Message, Does.Contain("no key"));
            Assert.That(gone.Message, Does.Contain("is not there"));
            Assert.That(gone.Hint, Does.Contain("No new key is made"));
            Assert.That(File.Exists(file), Is.False);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
