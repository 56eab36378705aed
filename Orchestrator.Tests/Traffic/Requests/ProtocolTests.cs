using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic.Requests;

/// <summary>HTTP/1.1 as it is on the wire, with what clients get wrong and what attackers try.</summary>
[TestFixture]
public sealed class ProtocolTests
{
    private Backend _blue = null!;
    private EdgeBed _bed = null!;
    private Upstream _upstream = null!;

    [SetUp]
    public async Task SetUp()
    {
        _blue = await Backend.StartAsync("blue");
        _bed = await EdgeBed.StartAsync();
        _upstream = _bed.Upstream("blue", _blue);
        _bed.Publish(_upstream);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
    }

    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", TestName = "two_hosts")]
    [TestCase("GET / HTTP/1.1\r\n\r\n", TestName = "no_host")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n", TestName = "a_folded_header")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n", TestName = "a_space_before_the_colon")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\u0000c\r\n\r\n", TestName = "a_zero_in_a_header")]
    [TestCase("GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n", TestName = "a_host_that_is_none")]
    [TestCase("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", TestName = "an_encoded_zero_in_the_path")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", TestName = "two_lengths")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", TestName = "chunked_that_is_not_last")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", TestName = "an_unknown_transfer_coding")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", TestName = "a_length_with_a_sign")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", TestName = "a_negative_length")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", TestName = "a_list_of_lengths")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", TestName = "a_length_in_another_base")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\nabc", TestName = "a_length_with_a_separator")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabc", TestName = "an_empty_length")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", TestName = "a_length_and_chunks")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", TestName = "chunks_and_a_length")]
    [TestCase("POST /api/echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", TestName = "chunks_in_an_old_version")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\n X-A: b\r\n\r\n", TestName = "a_header_that_begins_with_a_space")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n", TestName = "a_header_without_a_colon")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n", TestName = "a_bare_return_in_a_header")]
    [TestCase("GET /a\u0001b HTTP/1.1\r\nHost: a\r\n\r\n", TestName = "a_control_byte_in_the_target")]
    [TestCase("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", TestName = "a_tab_in_the_target")]
    [TestCase("GET /?q=\u007f HTTP/1.1\r\nHost: a\r\n\r\n", TestName = "a_delete_in_the_query")]
    [TestCase("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", TestName = "a_space_in_the_target")]
    public async Task What_two_parsers_could_read_differently_is_refused(string request)
    {
        var answer = await _bed.RawAsync(request);

        Assert.That(answer, Does.Match("^HTTP/1.1 (400|411|501) "));
        Assert.That(_blue.Requests, Is.Zero);
    }

    [TestCase("-1\r\nabc\r\n0\r\n\r\n", TestName = "a_negative_chunk")]
    [TestCase("3 \r\nabcd\r\n0\r\n\r\n", TestName = "a_chunk_longer_than_it_says")]
    [TestCase("fffffffffffffffff\r\nabc\r\n0\r\n\r\n", TestName = "a_chunk_length_that_overflows")]
    [TestCase("3\nabc\n0\n\n", TestName = "line_ends_without_a_return")]
    public async Task Bad_chunks_end_the_request_and_the_connection(string body)
    {
        var answer = await _bed.RawAsync($"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.That(answer, Does.StartWith("HTTP/1.1 400"));
        Assert.That(answer.Split("HTTP/1.1 "), Has.Length.EqualTo(2), "one answer only");
        Assert.That(_blue.Requests, Is.LessThanOrEqualTo(1));
    }

    [Test]
    public async Task What_comes_after_a_faulty_message_is_not_read()
    {
        // RFC 9112, section 6.3: a proxy that forwarded the length would open the door.
        var answer = await _bed.RawAsync(
            "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.That(answer, Does.StartWith("HTTP/1.1 400").And.Contain("Connection: close"));
        Assert.That(answer.Split("HTTP/1.1 "), Has.Length.EqualTo(2), "one answer only");
        Assert.That(_blue.Requests, Is.Zero);
    }

    [TestCase("gzip, chunked")]
    [TestCase("chunked\r\nTransfer-Encoding: chunked")]
    [TestCase("chunked, chunked")]
    public async Task A_transfer_coding_that_cannot_be_passed_on_is_not_taken(string coding)
    {
        var answer = await _bed.RawAsync($"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.That(answer, Does.StartWith("HTTP/1.1 501").And.Contain("Connection: close"));
        Assert.That(answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1));
        Assert.That(_blue.Requests, Is.Zero);
    }

    [Test]
    public async Task Chunks_with_trailers_are_taken_and_what_the_trailers_say_of_the_framing_goes_nowhere()
    {
        var answer = await _bed.RawAsync(
            "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;name=value\r\nabc\r\n0\r\nX-Sum: 9\r\nContent-Length: 0\r\nHost: b\r\n\r\n");

        Assert.That(answer, Does.StartWith("HTTP/1.1 200"));
        Assert.That(answer, Does.Contain("body abc; host a; length none; trailers none"));
    }

    [Test]
    public async Task Lines_of_a_header_may_end_in_a_line_feed_alone() =>
        Assert.That(await _bed.RawAsync("GET / HTTP/1.1\nHost: a\nConnection: close\n\n"), Does.StartWith("HTTP/1.1 200"));

    [TestCase("Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")]
    [TestCase("Content-Length:  003 \r\n\r\nabc")]
    public async Task Bodies_that_are_as_they_should_be_pass(string rest) =>
        Assert.That(await _bed.RawAsync($"POST /trailers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{rest}"), Does.Contain("body abc; host a"));

    [Test]
    public async Task The_body_is_asked_for_when_the_application_wants_it()
    {
        using var client = await ConnectAsync();
        await SendAsync(client, "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("HTTP/1.1 100 Continue"));
        await SendAsync(client, "hello");

        Assert.That(await reader.ReadToEndAsync(), Does.Contain("HTTP/1.1 200").And.Contain("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
    }

    [TestCase("HEAD", "/hundred", 200, "Content-Length: 100")]
    [TestCase("GET", "/status/204", 204, null)]
    [TestCase("GET", "/status/304", 304, null)]
    public async Task Answers_without_a_body_have_none(string method, string path, int status, string? header)
    {
        var answer = await _bed.RawAsync($"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status}").And.EndWith("\r\n\r\n"));
        Assert.That(answer, header is null ? Does.Not.Contain("Transfer-Encoding") : Does.Contain(header));
    }

    [Test]
    public async Task Large_headers_pass_both_ways()
    {
        var large = new string('a', 28_000);
        var answer = await _bed.RawAsync($"GET /mirror HTTP/1.1\r\nHost: x\r\nX-Large: {large}\r\nConnection: close\r\n\r\n");

        Assert.That(answer, Does.StartWith("HTTP/1.1 200").And.Contain($"X-Large: {large}\r\n"));
    }

    [Test]
    public async Task An_upload_without_an_end_reaches_the_application_as_it_comes()
    {
        using var client = await ConnectAsync();
        await SendAsync(client, $"POST /first-bytes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n{new string('x', 0x2000)}\r\n");

        // The end of the body never comes. Less than 4 KiB would wait for more in the framework's client.
        await _blue.Arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
        client.Close();
        var report = await _upstream.DrainAsync(EdgeBed.Patient, CancellationToken.None);
        Assert.That(report.HttpAborted, Is.Zero);
    }

    [TestCase("GET / HTTP/1.1\r\nHo", 0, TestName = "within_the_headers")]
    [TestCase("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc", 1, TestName = "within_the_body")]
    [TestCase("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n", 1, TestName = "before_the_answer")]
    [TestCase("GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n", 1, TestName = "within_the_answer")]
    public async Task A_client_that_leaves_harms_nobody(string request, int counted)
    {
        using (var client = await ConnectAsync())
        {
            await SendAsync(client, request);
            if (request.Contains("/gate", StringComparison.Ordinal) || request.Contains("/events", StringComparison.Ordinal))
                await _blue.Arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
            else if (counted > 0)
                await UntilAsync(() => _upstream.InFlight == 1);
            client.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        await UntilAsync(() => _upstream.InFlight == 0);
        Assert.That(_upstream.Traffic.Snapshot() is { Failed: 0 } seen && seen.Total == counted, Is.True);
        Assert.That(await _bed.Client.GetStringAsync("/"), Is.EqualTo("blue"));
    }

    [Test]
    public async Task Clients_come_over_IPv6_as_well()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { Http = [new IPEndPoint(IPAddress.IPv6Loopback, 0)] });
        bed.Publish(bed.Upstream("blue", _blue));

        Assert.That(await bed.Client.GetStringAsync("/headers"), Does.Contain("X-Forwarded-For: ::1"));
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(_bed.Edge.Addresses[0]);
        return client;
    }

    private static ValueTask SendAsync(TcpClient client, string text) => client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }
}
