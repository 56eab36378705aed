using System.Collections.Immutable;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Tests.Agent.Hosting;

internal sealed class EdgeRequestSettingsTests
{
    [Test]
    public void Trusted_proxies_and_limits_are_read()
    {
        var settings = Load("""
            edge:
              trusted_proxies: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32"]
              limits: { body: 100MiB, headers: 16KiB, header_count: 50, connections: 1000, header_timeout: 5s, min_data_rate: 240, keep_alive: 30s, idle: 10m }
            """);

        Assert.That(settings.Problems, Is.Empty);
        var edge = settings.Options!.Edge;
        Assert.That(edge.TrustedProxies.Select(network => network.ToString()), Is.EqualTo(new[] { "10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32" }));
        Assert.That((edge.Limits.Body, edge.Limits.Headers, edge.Limits.HeaderCount, edge.Limits.Connections), Is.EqualTo((100L << 20, 16384, 50, 1000L)));
        Assert.That((edge.Limits.HeaderTimeout, edge.Limits.MinDataRate, edge.Limits.KeepAlive, edge.Idle),
            Is.EqualTo((TimeSpan.FromSeconds(5), 240d, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(10))));
    }

    [TestCase("trusted_proxies: [10.0.0.0/33]", "edge.trusted_proxies[0]: found '10.0.0.0/33', expected an address or a network, e.g. 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
    [TestCase("trusted_proxies: [10]", "edge.trusted_proxies[0]: found '10', expected an address or a network, e.g. 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
    [TestCase("limits: { heders: 1KiB }", "edge.limits.heders: unknown setting; did you mean 'headers'?")]
    [TestCase("limits: { idle: 0s }", "edge.limits.idle: found '0s', expected a duration from 1s to 24h")]
    public void Mistakes_are_named(string line, string problem) => Assert.That(Load($"edge:\n  {line}\n").Problems.Single(), Does.EndWith(problem));

    private static AgentSettings Load(string content)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, content);
            return AgentFile.Load(file, ImmutableSortedDictionary<string, string>.Empty);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
