using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Tests.Traffic.Tls;

[TestFixture]
public sealed class HandshakeTests
{
    private TlsBed _bed = null!;
    private Backend _app = null!;

    [SetUp]
    public async Task SetUp()
    {
        _app = await Backend.StartAsync("blue");
        _bed = await TlsBed.StartAsync();
        _bed.Ca.Write(_bed.Directory, "any-name", "garden.example", "*.garden.example");
        _bed.Ca.Write(_bed.Directory, "other", "shop.garden.example");
        _bed.Ca.Write(_bed.Directory, "address", "127.0.0.1");
        _bed.Files.Refresh();
        _bed.Bed.Publish(_bed.Bed.Upstream("blue", _app));
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _app.DisposeAsync();
    }

    [TestCase("garden.example", "garden.example")]
    [TestCase("GARDEN.example", "garden.example")]
    [TestCase("api.garden.example", "garden.example")]
    [TestCase("shop.garden.example", "shop.garden.example")]
    [TestCase("127.0.0.1", "127.0.0.1")]
    public async Task A_name_gets_the_certificate_that_names_it_exactly_before_the_wildcard(string host, string expected)
    {
        await using var stream = await _bed.ShakeAsync(host);

        using var shown = new X509Certificate2(stream.RemoteCertificate!);
        var names = shown.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.That(names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => $"{address}")), Has.Some.EqualTo(expected));
    }

    [TestCase("nobody.example")]
    [TestCase("a.b.garden.example")]
    public async Task A_name_without_a_certificate_is_refused_by_name_and_the_others_go_on(string host)
    {
        Assert.That(await AnswerToHelloAsync(host), Is.EqualTo(new byte[] { 21, 3, 3, 0, 2, 2, 112 }), "alert, fatal, unrecognized_name; then the end");
        Assert.That(() => _bed.ShakeAsync(host), Throws.InstanceOf<AuthenticationException>().Or.InstanceOf<IOException>());

        using var client = _bed.Client("garden.example");
        Assert.That(await client.GetStringAsync("/"), Is.EqualTo("blue"));
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain("basmalin_edge_tls_unknown_names_total 2"));
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task Tls_12_and_13_are_spoken(SslProtocols protocol)
    {
        await using var stream = await _bed.ShakeAsync("garden.example", protocol);

        Assert.That(stream.SslProtocol, Is.EqualTo(protocol));
    }

    // The client's own library may refuse to offer them, so what is sent is a hello that offers no more, byte for byte.
    [TestCase(1, "1.0")]
    [TestCase(2, "1.1")]
    public async Task Older_versions_are_refused(byte minor, string version)
    {
        var answer = await AnswerToAsync(Hello.Of("garden.example", minor));

        Assert.That(answer.Take(1), Is.EqualTo(new byte[] { 21 }), $"an alert to TLS {version}");
        Assert.That(answer.Skip(5).Take(2), Is.EqualTo(new byte[] { 2, 70 }), "fatal, protocol_version");
    }

    [Test]
    public async Task A_client_that_offers_http2_gets_it_and_the_application_is_told_https()
    {
        using var client = _bed.Client("garden.example", HttpVersion.Version20);

        using var answer = await client.GetAsync("/headers");

        Assert.That(answer.Version, Is.EqualTo(HttpVersion.Version20));
        var headers = await answer.Content.ReadAsStringAsync();
        Assert.That(headers, Does.Contain("X-Forwarded-Proto: https"));
        Assert.That(headers, Does.Contain($"X-Forwarded-Host: garden.example:{_bed.Secure.Port}"));
        Assert.That(headers, Does.Contain($"Host: garden.example:{_bed.Secure.Port}"));
    }

    [Test]
    public async Task A_client_that_offers_http1_only_gets_that()
    {
        using var client = _bed.Client("garden.example", HttpVersion.Version11);

        using var answer = await client.GetAsync("/");

        Assert.That((answer.Version, answer.StatusCode), Is.EqualTo((HttpVersion.Version11, HttpStatusCode.OK)));
    }

    [Test]
    public async Task Bodies_pass_both_ways_over_http2()
    {
        using var client = _bed.Client("garden.example", HttpVersion.Version20);
        var body = Backend.Bytes(3_000_000);

        using var echo = await client.PostAsync("/api/echo", new ByteArrayContent(body));

        Assert.That(await echo.Content.ReadAsStringAsync(), Does.Contain(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(body))));
        Assert.That((await client.GetByteArrayAsync("/bytes/2000000")).AsSpan().SequenceEqual(Backend.Bytes(2_000_000)), Is.True);
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task A_websocket_passes_and_is_closed_with_1012_when_its_colour_is_drained(string version)
    {
        var upstream = _bed.Bed.Upstream("blue", _app);
        _bed.Bed.Publish(upstream);
        using var client = _bed.Client("garden.example", new Version(version));
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = new Version(version);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await socket.ConnectAsync(new Uri($"wss://garden.example:{_bed.Secure.Port}/api/ws"), client, CancellationToken.None);

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[10];
        var read = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Assert.That(System.Text.Encoding.UTF8.GetString(buffer, 0, read.Count), Is.EqualTo("hello"));
        Assert.That(upstream.WebSockets, Is.EqualTo(1));

        var drained = upstream.DrainAsync(new Orchestrator.Traffic.DrainBudget(TimeSpan.Zero, TimeSpan.FromSeconds(10)), CancellationToken.None);
        var last = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Assert.That((last.MessageType, (int?)socket.CloseStatus), Is.EqualTo((WebSocketMessageType.Close, (int?)1012)));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        Assert.That((await drained).WebSocketsClosed, Is.EqualTo(1));
    }

    [Test]
    public async Task What_is_not_tls_at_all_is_hung_up_on() =>
        Assert.That((await AnswerToAsync("GET / HTTP/1.1\r\nHost: garden.example\r\n\r\n"u8.ToArray())).Take(1), Is.Not.EqualTo("H"u8.ToArray()));

    private Task<byte[]> AnswerToHelloAsync(string host) => AnswerToAsync(Hello.Of(host, 3));

    /// <summary>All that comes back until the other side hangs up.</summary>
    private async Task<byte[]> AnswerToAsync(byte[] bytes)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_bed.Secure);
        await client.GetStream().WriteAsync(bytes);
        using var answer = new MemoryStream();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await client.GetStream().CopyToAsync(answer, patience.Token);
        return answer.ToArray();
    }
}
