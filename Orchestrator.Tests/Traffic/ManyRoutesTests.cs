using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

/// <summary>Many stacks with many routes, published again and again while all of them are asked.</summary>
internal sealed class ManyRoutesTests
{
    private const int Stacks = 200;
    private const int RoutesEach = 5;
    private const int Reloads = 100;

    [Test]
    public async Task A_thousand_routes_are_published_a_hundred_times_under_load_and_no_request_fails_or_goes_astray()
    {
        await using var backend = await Backend.StartAsync("app");
        await using var bed = await EdgeBed.StartAsync();
        var live = Enumerable.Range(0, Stacks).Select(stack => Publish(bed, backend, stack, 0)).ToArray();

        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 4).Select(client => AskAsync(bed, client, stop.Token)).ToList();
        var drains = new List<Task<DrainReport>>();
        for (var reload = 1; reload <= Reloads; reload++)
        {
            foreach (var stack in Enumerable.Range(0, Stacks))
            {
                var old = live[stack];
                live[stack] = Publish(bed, backend, stack, reload);
                drains.Add(old.DrainAsync(EdgeBed.Patient, CancellationToken.None));
            }

            await Task.Yield();
        }

        var cut = (await Task.WhenAll(drains)).Sum(report => report.HttpAborted);
        await stop.CancelAsync();
        var asked = await Task.WhenAll(clients);
        TestContext.Out.WriteLine($"{asked.Sum()} requests during {Reloads * Stacks} publications of {RoutesEach} routes each");
        Assert.Multiple(() =>
        {
            Assert.That(cut, Is.Zero);
            Assert.That(asked, Is.All.GreaterThan(100), "all clients asked all the time");
            Assert.That(bed.Router.Published.Sum(routes => routes.Routes.Length), Is.EqualTo(Stacks * RoutesEach));
        });
    }

    private static Upstream Publish(EdgeBed bed, Backend backend, int stack, int generation)
    {
        var upstream = new Upstream(new UpstreamIdentity(Name(stack), "app", generation % 2 == 0 ? "blue" : "green", generation + 1), [backend.Address], bed.Time);
        var routes = Enumerable.Range(0, RoutesEach).Select(route => new Route
        {
            Stack = Name(stack),
            Service = "app",
            Host = Host(stack),
            Path = $"/{route}",
            TargetPort = Backend.Port,
            Upstream = upstream,
        });
        bed.Router.Publish(new StackRoutes(Name(stack), [.. routes], [], Maintenance: false));
        return upstream;
    }

    /// <summary>Asks each route in turn until it is told to stop; an answer that is not the application's own is an error.</summary>
    private static async Task<int> AskAsync(EdgeBed bed, int client, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = bed.Address };
        var asked = 0;
        for (var next = client; !stop.IsCancellationRequested; next += 7)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/{next % RoutesEach}/x") { Headers = { Host = Host(next % Stacks) } };
            using var answer = await http.SendAsync(request, CancellationToken.None);
            var seen = answer.Headers.TryGetValues("X-Seen-Target", out var target) ? target.Single() : $"{(int)answer.StatusCode}";
            Assert.That(seen, Is.EqualTo($"/{next % RoutesEach}/x"), Host(next % Stacks));
            asked++;
        }

        return asked;
    }

    private static string Name(int stack) => $"s{stack}";

    private static string Host(int stack) => $"s{stack}.example";
}
