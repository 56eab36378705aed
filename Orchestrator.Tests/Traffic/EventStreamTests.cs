using System.IO.Compression;
using System.Text;
using CsCheck;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic;

/// <summary>What becomes of event streams when their upstream is drained.</summary>
[TestFixture]
public sealed class EventStreamTests
{
    [Test]
    public async Task A_drain_ends_event_streams_in_good_order_and_they_have_not_failed()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        var upstream = bed.Upstream("blue", blue);
        bed.Publish(upstream);
        var streams = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var answer = await bed.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead);
            var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
            Assert.That(await reader.ReadLineAsync(), Is.EqualTo("data: blue"));
            return reader;
        }));

        var drained = upstream.DrainAsync(new DrainBudget(TimeSpan.FromSeconds(1), TimeSpan.Zero), CancellationToken.None);
        var rests = await Task.WhenAll(streams.Select(stream => stream.ReadToEndAsync()));

        var report = await drained;
        Assert.Multiple(() =>
        {
            Assert.That(rests, Is.All.EqualTo("\n"), "a stream that is cut off throws instead");
            Assert.That((report.EventStreamsEnded, report.HttpCompleted, report.HttpAborted), Is.EqualTo((8, 8, 0)));
            Assert.That(upstream.Traffic.Snapshot() is { Total: 8, Failed: 0, P95: null }, Is.True);
        });
    }

    [Test]
    public async Task A_stream_that_the_application_compressed_is_ended_too_and_every_event_before_can_be_read()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions());
        var upstream = bed.Upstream("blue", blue);
        bed.Publish(upstream, new RoutePolicy { Compress = CompressionRule.Usual });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/zipped-events") { Headers = { { "Accept-Encoding", "gzip" } } };
        using var answer = await bed.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.That(answer.Content.Headers.ContentEncoding, Is.EqualTo(new[] { "gzip" }), "as it came, and not once more");
        await using var body = await answer.Content.ReadAsStreamAsync();
        await blue.Arrived.Task;

        var drained = upstream.DrainAsync(new DrainBudget(TimeSpan.FromSeconds(1), TimeSpan.Zero), CancellationToken.None);
        using var raw = new MemoryStream();
        await body.CopyToAsync(raw);                                // one that is cut off throws instead
        raw.Position = 0;
        await using var plain = new GZipStream(raw, CompressionMode.Decompress);
        using var reader = new StreamReader(plain);

        Assert.That(await reader.ReadToEndAsync(), Is.EqualTo("data: one\n\ndata: two\n\n"));
        Assert.That(await drained is { EventStreamsEnded: 1, HttpCompleted: 1, HttpAborted: 0 }, Is.True);
    }

    [Test]
    public async Task A_reader_is_told_that_its_stream_is_open_before_the_first_event()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", blue));

        using var answer = await bed.Client.GetAsync("/api/quiet-events", HttpCompletionOption.ResponseHeadersRead);
        blue.Gate.SetResult();

        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("data: last\n\n"));
    }

    [Test]
    public async Task An_event_that_has_begun_is_passed_on_whole_and_nothing_of_the_next_one()
    {
        var (session, source) = Session();
        await source.Writer.WriteAsync("data: one\n\ndata: tw"u8.ToArray());
        var first = await ReadAsync(session);
        session.End();
        await source.Writer.WriteAsync("o\n\ndata: three\n\n"u8.ToArray());

        Assert.That((first, await ReadAsync(session), await ReadAsync(session)), Is.EqualTo(("data: one\n\ndata: tw", "o\n\n", "")));
    }

    [Test]
    public async Task Between_two_events_a_stream_ends_at_once()
    {
        var (session, source) = Session();
        await source.Writer.WriteAsync("data: one\r\n\r\n"u8.ToArray());
        await ReadAsync(session);
        var waiting = ReadAsync(session);

        session.End();

        Assert.That(await waiting, Is.Empty);
    }

    [Test]
    public async Task An_event_that_does_not_end_does_not_hold_up_the_drain()
    {
        var (session, source) = Session();
        await source.Writer.WriteAsync("data: endl"u8.ToArray());
        await ReadAsync(session);
        var waiting = ReadAsync(session);
        session.End();
        Assert.That(waiting.IsCompleted, Is.False);

        session.EndNow();

        Assert.That(await waiting, Is.Empty);
    }

    [Test]
    public void The_boundary_is_found_in_any_pieces_and_with_any_line_ends()
    {
        string[] kinds = ["data: x", ": ping", "", "id: 7"];
        string[] ends = ["\n", "\r\n", "\r"];
        Gen.Select(Gen.Int[0, 3].Select(kind => kinds[kind]).Array[0, 12], Gen.Int[0, 2].Select(end => ends[end]), Gen.Int[1, 9]).Sample((text, end, piece) =>
        {
            var bytes = Encoding.ASCII.GetBytes(string.Concat(text.Select(line => line + end)));
            var boundary = new EventBoundary();
            foreach (var part in bytes.Chunk(piece))
                Assert.That(boundary.Advance(part, toBoundary: false), Is.EqualTo(part.Length));

            return boundary.Reached == (text.Length == 0 || text[^1].Length == 0);
        });
    }

    private static (EventStreamSession Session, System.IO.Pipelines.Pipe Source) Session()
    {
        var pipe = new System.IO.Pipelines.Pipe();
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [], TimeProvider.System);
        return (new EventStreamSession(pipe.Reader.AsStream(), upstream, 0, new OpenStreams(TimeProvider.System)), pipe);
    }

    private static async Task<string> ReadAsync(EventStreamSession session)
    {
        var buffer = new byte[1000];
        return Encoding.ASCII.GetString(buffer, 0, await session.ReadAsync(buffer.AsMemory(), CancellationToken.None));
    }
}
