using System.Buffers;
using CsCheck;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Tests.Traffic.Tls;

[TestFixture]
public sealed class ClientHelloTests
{
    [Test]
    public void Only_a_client_that_offers_validation_and_nothing_else_validates()
    {
        Assert.That(HostOf(Hello.Of("garden.test", 3, ClientHello.AcmeProtocol)), Is.EqualTo("garden.test"));
        Assert.That(HostOf(Hello.Of("garden.test", 3, ClientHello.AcmeProtocol, "h2")), Is.Null);
        Assert.That(HostOf(Hello.Of("garden.test", 3, "h2", "http/1.1")), Is.Null);
        Assert.That(HostOf(Hello.Of("garden.test", 3)), Is.Null);
    }

    [Test]
    public void A_message_is_waited_for_until_it_is_whole_and_not_longer()
    {
        var hello = Hello.Of("garden.test", 3, ClientHello.AcmeProtocol);

        for (var length = 0; length < hello.Length; length++)
        {
            var part = new ReadOnlySequence<byte>(hello, 0, length);
            Assert.That(ClientHello.IsIncomplete(part), Is.True, $"{length} bytes");
            Assert.That(ClientHello.ValidatedHost(part), Is.Null, $"{length} bytes");
        }

        Assert.That(ClientHello.IsIncomplete(new ReadOnlySequence<byte>(hello)), Is.False);
        Assert.That(ClientHello.IsIncomplete(new ReadOnlySequence<byte>("GET / HTTP/1.1"u8.ToArray())), Is.False);
    }

    [Test]
    public void A_message_in_which_any_bytes_are_others_is_read_without_harm() =>
        Gen.Select(Gen.Byte.Array[0, 60], Gen.Int[0, 150]).Sample((noise, at) =>
        {
            var hello = Hello.Of("garden.test", 3, ClientHello.AcmeProtocol);
            for (var index = 0; index < noise.Length && at + index < hello.Length; index++) hello[at + index] = noise[index];
            ClientHello.IsIncomplete(new ReadOnlySequence<byte>(hello));
            return HostOf(hello) is null or { Length: <= 300 };
        });

    private static string? HostOf(byte[] bytes) => ClientHello.ValidatedHost(new ReadOnlySequence<byte>(bytes));
}
