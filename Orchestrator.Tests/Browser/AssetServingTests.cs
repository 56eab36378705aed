using System.Net;
using System.Net.Http.Headers;

namespace Orchestrator.Tests.Browser;

public sealed class AssetServingTests
{
    [Test]
    public async Task A_file_may_be_kept_for_ever_and_is_not_sent_twice()
    {
        await using var host = await PageHost.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        var page = await client.GetStringAsync("/");
        var address = page.Split('"').Single(part => part.EndsWith("/status.css", StringComparison.Ordinal));

        using var first = await client.GetAsync(address);
        using var again = new HttpRequestMessage(HttpMethod.Get, address);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.SendAsync(again);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(first.Headers.CacheControl!.ToString(), Is.EqualTo("public, max-age=31536000, immutable"));
            Assert.That(first.Content.Headers.ContentType, Is.EqualTo(MediaTypeHeaderValue.Parse("text/css; charset=utf-8")));
            Assert.That(second.StatusCode, Is.EqualTo(HttpStatusCode.NotModified));
        }
    }

    [Test]
    public async Task The_address_of_another_daemons_file_is_answered_but_not_kept()
    {
        await using var host = await PageHost.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };

        using var other = await client.GetAsync("/assets/ffffffffffffffff/status.js");
        using var none = await client.GetAsync("/assets/ffffffffffffffff/..%2FProgram.cs");

        Assert.That(other.Headers.CacheControl!.ToString(), Is.EqualTo("no-cache"));
        Assert.That(none.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }
}
