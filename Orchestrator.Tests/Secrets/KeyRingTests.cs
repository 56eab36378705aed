using System.Runtime.Versioning;
using Orchestrator.Journal;
using Orchestrator.Secrets;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Secrets;

[TestFixture, SupportedOSPlatform("linux")]
public sealed class KeyRingTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private TemporaryDirectory _directory = null!;

    [SetUp]
    public void Make() => _directory = new TemporaryDirectory();

    [TearDown]
    public void Remove() => _directory.Dispose();

    [Test]
    public void The_key_is_made_once_and_closed_to_others()
    {
        var sealedValue = KeyRing.Open(_directory["key"], hasSecrets: false).Seal("value", "context");

        Assert.That(KeyRing.Open(_directory["key"], hasSecrets: true).Unseal(sealedValue, "context"), Is.EqualTo("value"));
        Assert.That(File.GetUnixFileMode(_directory["key"]), Is.EqualTo(Private));
        Assert.That(Directory.GetFiles(_directory.Path), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_lost_key_is_not_replaced_in_silence()
    {
        Assert.That(() => KeyRing.Open(_directory["key"], hasSecrets: true), Throws.TypeOf<JournalException>().With.Message.Contains("is missing"));
        Assert.That(File.Exists(_directory["key"]), Is.False);
    }

    [Test]
    public void A_key_that_others_can_read_is_refused()
    {
        KeyRing.Open(_directory["key"], hasSecrets: false);
        File.SetUnixFileMode(_directory["key"], Private | UnixFileMode.GroupRead);

        Assert.That(() => KeyRing.Open(_directory["key"], hasSecrets: true), Throws.TypeOf<JournalException>().With.Message.Contains("chmod 600"));
    }

    [Test]
    public void A_torn_key_is_refused()
    {
        File.WriteAllBytes(_directory["key"], new byte[31]);
        File.SetUnixFileMode(_directory["key"], Private);

        Assert.That(() => KeyRing.Open(_directory["key"], hasSecrets: true), Throws.TypeOf<JournalException>().With.Message.Contains("31 bytes"));
    }

    [Test]
    public void Another_key_another_context_and_a_changed_byte_do_not_open()
    {
        var ring = KeyRing.Open(_directory["key"], hasSecrets: false);
        var sealedValue = ring.Seal("value", "context");

        Assert.That(KeyRing.Open(_directory["other"], hasSecrets: false).Unseal(sealedValue, "context"), Is.Null);
        Assert.That(ring.Unseal(sealedValue, "other"), Is.Null);
        for (var i = 0; i < sealedValue.Length; i++)
        {
            var changed = sealedValue.ToArray();
            changed[i] ^= 1;
            Assert.That(ring.Unseal(changed, "context"), Is.Null);
        }

        Assert.That(ring.Seal("value", "context"), Is.Not.EqualTo(sealedValue), "a nonce is used once");
    }
}
