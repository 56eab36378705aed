using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Certificates;
using Orchestrator.Tests.Traffic.Tls;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Tests.Certificates;

[TestFixture]
public sealed class RenewalTimingTests
{
    [Test]
    public void A_certificate_is_due_at_two_thirds_of_its_life_or_a_little_before()
    {
        var (chain, key) = new TestCa().Issue(TimeSpan.FromDays(82), "garden.test");
        Assert.That(EdgeCertificate.TryRead(chain, key, "test", out var certificate, out _), Is.True);
        var life = certificate!.NotAfter - certificate.NotBefore;

        Assert.That(life.TotalDays, Is.EqualTo(90).Within(0.1));
        Assert.That((RenewalTiming.Due(certificate, 0) - certificate.NotBefore).TotalDays, Is.EqualTo(60).Within(0.1));
        Assert.That((RenewalTiming.Due(certificate, 1) - certificate.NotBefore).TotalDays, Is.EqualTo(57).Within(0.1));
    }

    [TestCase(1, 0, 1)]
    [TestCase(1, 1, 1.2)]
    [TestCase(2, 0, 5)]
    [TestCase(3, 0, 25)]
    [TestCase(4, 0, 125)]
    [TestCase(5, 0, 625)]
    [TestCase(6, 0, 720)]
    [TestCase(1000, 0, 720)]
    public void The_pause_after_a_failure_grows_to_half_a_day(int failures, double chance, double minutes) =>
        Assert.That(RenewalTiming.Pause(failures, chance, wanted: null).TotalMinutes, Is.EqualTo(minutes).Within(0.001));

    [Test]
    public void The_authority_may_want_a_longer_pause_but_not_a_shorter_one()
    {
        Assert.That(RenewalTiming.Pause(1, 0, TimeSpan.FromHours(3)), Is.EqualTo(TimeSpan.FromHours(3)));
        Assert.That(RenewalTiming.Pause(3, 0, TimeSpan.FromSeconds(1)), Is.EqualTo(TimeSpan.FromMinutes(25)));
    }

    /// <summary>The example of RFC 9773, 4.1.</summary>
    [Test]
    public void A_certificate_is_named_as_the_standard_names_its_example()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=example", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(Convert.FromHexString("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(
            new X500DistinguishedName("CN=issuer"), X509SignatureGenerator.CreateForECDsa(key), now, now.AddDays(1), Convert.FromHexString("0087654321"));

        Assert.That(RenewalTiming.IdOf(certificate), Is.EqualTo("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"));
    }
}
