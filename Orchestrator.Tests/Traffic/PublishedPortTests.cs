using System.Net;
using System.Net.Sockets;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class PublishedPortTests
{
    private EdgeBed _bed = null!;
    private Backend _blue = null!;

    [SetUp]
    public async Task SetUp()
    {
        _blue = await Backend.StartAsync("blue");
        _bed = await EdgeBed.StartAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
    }

    [Test]
    public async Task A_published_port_opens_serves_and_closes()
    {
        var endpoint = FreeEndpoint();
        Publish(endpoint);
        await _bed.Edge.SetPublishedAsync("garden", [endpoint], CancellationToken.None);
        await _bed.Edge.SetPublishedAsync("garden", [endpoint], CancellationToken.None);
        Assert.That(await _bed.Client.GetStringAsync(new Uri($"http://{endpoint}/")), Is.EqualTo("blue"));

        await _bed.Edge.SetPublishedAsync("garden", [], CancellationToken.None);
        using var fresh = new HttpClient();
        Assert.That(async () => await fresh.GetStringAsync(new Uri($"http://{endpoint}/")), Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task A_request_under_way_survives_the_closing_of_its_port()
    {
        var endpoint = FreeEndpoint();
        Publish(endpoint);
        await _bed.Edge.SetPublishedAsync("garden", [endpoint], CancellationToken.None);
        var slow = _bed.Client.GetStringAsync(new Uri($"http://{endpoint}/gate"));
        await _blue.Arrived.Task;

        await _bed.Edge.SetPublishedAsync("garden", [], CancellationToken.None);
        _blue.Gate.SetResult();

        Assert.That(await slow, Is.EqualTo("blue"));
    }

    [Test]
    public async Task A_port_in_use_is_named_and_nothing_is_changed()
    {
        using var squatter = new TcpListener(IPAddress.Loopback, 0);
        squatter.Start();
        var taken = new PublishedEndpoint("127.0.0.1", ((IPEndPoint)squatter.LocalEndpoint).Port);
        var free = FreeEndpoint();
        Publish(free);

        Assert.That(async () => await _bed.Edge.SetPublishedAsync("garden", [free, taken], CancellationToken.None),
            Throws.InstanceOf<EdgeBindException>().With.Message.EqualTo($"Cannot listen on {taken}: another process has this port"));
        using var fresh = new HttpClient();
        Assert.That(async () => await fresh.GetStringAsync(new Uri($"http://{free}/")), Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task A_port_of_another_stack_is_refused_with_its_name()
    {
        var endpoint = FreeEndpoint();
        await _bed.Edge.SetPublishedAsync("shop", [endpoint], CancellationToken.None);

        Assert.That(async () => await _bed.Edge.SetPublishedAsync("garden", [new PublishedEndpoint(null, endpoint.Port)], CancellationToken.None),
            Throws.InstanceOf<EdgeBindException>().With.Message.EndsWith("the stack 'shop' publishes it"));
    }

    [Test]
    public async Task A_port_may_move_from_one_address_to_all_of_them_and_back()
    {
        var one = FreeEndpoint();
        var all = one with { Address = null };
        foreach (var (now, next) in new[] { (one, all), (all, one) })
        {
            Publish(now);
            await _bed.Edge.SetPublishedAsync("garden", [now], CancellationToken.None);
            await _bed.Edge.SetPublishedAsync("garden", [now, next], CancellationToken.None);
            Publish(next);
            await _bed.Edge.SetPublishedAsync("garden", [next], CancellationToken.None);
            Assert.That(await _bed.Client.GetStringAsync(new Uri($"http://{one}/")), Is.EqualTo("blue"));
        }
    }

    [Test]
    public async Task An_address_that_is_not_the_hosts_is_refused()
    {
        var foreign = new PublishedEndpoint("203.0.113.7", 3000);

        Assert.That(async () => await _bed.Edge.SetPublishedAsync("garden", [foreign], CancellationToken.None),
            Throws.InstanceOf<EdgeBindException>().With.Message.StartsWith("Cannot listen on 203.0.113.7:3000: "));
    }

    private void Publish(PublishedEndpoint endpoint)
    {
        var route = EdgeBed.RouteTo(_bed.Upstream("blue", _blue)) with { Host = null, Listener = endpoint };
        _bed.Router.Publish(new StackRoutes("garden", [route], [], false));
    }

    internal static PublishedEndpoint FreeEndpoint()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return new PublishedEndpoint("127.0.0.1", ((IPEndPoint)probe.LocalEndpoint).Port);
    }
}
