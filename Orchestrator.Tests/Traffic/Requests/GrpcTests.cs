using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;
using Orchestrator.Tests.Traffic.Tls;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic.Requests;

[TestFixture]
public sealed class GrpcTests
{
    private TlsBed _bed = null!;
    private GrpcBackend _blue = null!;
    private GrpcBackend _green = null!;
    private HttpClient _client = null!;

    [SetUp]
    public async Task SetUp()
    {
        _bed = await TlsBed.StartAsync();
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
        _bed.Files.Refresh();
        _blue = await GrpcBackend.StartAsync("blue");
        _green = await GrpcBackend.StartAsync("green");
        _client = _bed.Client("garden.example", HttpVersion.Version20);
    }

    [TearDown]
    public async Task TearDown()
    {
        _client.Dispose();
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
        await _green.DisposeAsync();
    }

    [Test]
    public async Task The_outcome_of_a_call_comes_in_trailers()
    {
        Publish("blue", _blue);
        var call = new Call();
        await call.SendAsync([0, 0, 0, 0, 1, 42]);
        call.End();
        using var answer = await _client.SendAsync(call.Request, HttpCompletionOption.ResponseContentRead);

        Assert.That(await answer.Content.ReadAsByteArrayAsync(), Is.EqualTo(new byte[] { 0, 0, 0, 0, 1, 42 }));
        Assert.That(answer.TrailingHeaders.GetValues("grpc-status"), Is.EqualTo(new[] { "0" }));
        Assert.That(answer.TrailingHeaders.GetValues("grpc-message"), Is.EqualTo(new[] { "blue" }));
    }

    [Test]
    public async Task A_stream_both_ways_goes_on_through_a_swap()
    {
        var blue = Publish("blue", _blue);
        var call = new Call();
        await call.SendAsync([1]);
        using var answer = await _client.SendAsync(call.Request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        Assert.That(await ReadAsync(body), Is.EqualTo(1));

        Publish("green", _green);
        var drained = blue.DrainAsync(EdgeBed.Patient, CancellationToken.None);
        await call.SendAsync([2]);
        Assert.That(await ReadAsync(body), Is.EqualTo(2), "the open stream stays where it is");

        var next = new Call();
        next.End();
        using var other = await _client.SendAsync(next.Request, HttpCompletionOption.ResponseContentRead);
        Assert.That(other.Headers.GetValues("X-Garden-Version"), Is.EqualTo(new[] { "green" }));

        call.End();
        Assert.That(await ReadAsync(body), Is.EqualTo(-1));
        Assert.That(answer.TrailingHeaders.GetValues("grpc-message"), Is.EqualTo(new[] { "blue" }));
        Assert.That(await drained, Has.Property(nameof(DrainReport.HttpCompleted)).EqualTo(1).And.Property(nameof(DrainReport.HttpAborted)).EqualTo(0));
    }

    private Upstream Publish(string colour, GrpcBackend backend)
    {
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", colour, 1), [backend.Address], TimeProvider.System);
        _bed.Bed.Publish(upstream, new RoutePolicy { Http2 = true });
        return upstream;
    }

    private static async Task<int> ReadAsync(Stream body)
    {
        var buffer = new byte[1];
        return await body.ReadAsync(buffer) == 0 ? -1 : buffer[0];
    }

    /// <summary>A call whose messages are sent one by one.</summary>
    private sealed class Call : HttpContent
    {
        private readonly Channel<byte[]> _messages = Channel.CreateUnbounded<byte[]>();

        public Call()
        {
            Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            Request = new HttpRequestMessage(HttpMethod.Post, "/garden.Plants/Watch") { Content = this, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            Request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        }

        public HttpRequestMessage Request { get; }

        public ValueTask SendAsync(byte[] message) => _messages.Writer.WriteAsync(message);

        public void End() => _messages.Writer.Complete();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            await foreach (var message in _messages.Reader.ReadAllAsync())
            {
                await stream.WriteAsync(message);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
