using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Stacks;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Deployments;

/// <summary>What a Compose file says of a route is what the edge is told.</summary>
[TestFixture]
public sealed class RoutePoliciesTests
{
    [Test]
    public void Every_setting_of_a_route_reaches_the_edge()
    {
        var policy = RoutePolicies.Of(Service(
            """
            hosts: [a.example], path: /api, port: 3000, strip_prefix: true, protocol: h2c, limits: { body: 10m },
            timeouts: { connect: 100ms, headers: 20s, idle: 5m }, rate: { requests: 100, per: 1s, burst: 50, by: client },
            headers: { secure: true, set: { X-Set: value }, remove: [Server] }, compress: [text/*]
            """));

        Assert.That(policy, Is.Not.Null);
        Assert.Multiple(() =>
        {
            Assert.That((policy!.StripPrefix, policy.Http2, policy.BodyLimit), Is.EqualTo((true, true, (long?)(10 << 20))));
            Assert.That(policy.Timeouts, Is.EqualTo(new PhaseTimeouts(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(5))));
            Assert.That(policy.Rate, Is.EqualTo(new RateRule(100, TimeSpan.FromSeconds(1), 50, ByClient: true)));
            Assert.That((policy.Headers?.Secure, policy.Headers?.Set["X-Set"], policy.Headers?.Remove.Single()), Is.EqualTo(((bool?)true, "value", "Server")));
            Assert.That((policy.Compress?.Takes("text/css"), policy.Compress?.Takes("application/json")), Is.EqualTo(((bool?)true, (bool?)false)));
        });
    }

    [Test]
    public void A_route_that_asks_for_nothing_costs_nothing() => Assert.That(RoutePolicies.Of(Service("hosts: [a.example], port: 3000")), Is.Null);

    [TestCase("/up", false, "/up")]
    [TestCase("/up?deep=1", false, "/up")]
    [TestCase("/up", true, "/api/up")]
    [TestCase("/", false, null)]
    public void What_the_gate_asks_is_known_as_it_is_asked_for_from_outside(string gate, bool strip, string? path) =>
        Assert.That(RoutePolicies.HealthPath(Service($"hosts: [a.example], path: /api, port: 3000, strip_prefix: {(strip ? "true" : "false")}", $"gate: {{ http: '{gate}' }}")), Is.EqualTo(path));

    private static ServiceSpec Service(string route, string more = "")
    {
        var content = $$"""
            name: a
            services:
              app:
                image: a:1
                x-basmalin:
                  route: { {{route.ReplaceLineEndings(" ")}} }
                  {{more}}
            """;
        var result = ComposeReader.Read(new() { FileName = "compose.yml", Content = content, Directory = "/", Environment = ImmutableDictionary<string, string>.Empty });
        return result.Stack?.Find("app") ?? throw new InvalidOperationException(string.Join('\n', result.Findings));
    }
}
