using System.Diagnostics;
using System.Text.Json;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic.Requests;

[TestFixture]
public sealed class AccessLogTests
{
    private Backend _blue = null!;
    private string _directory = "";

    private string LogPath => Path.Combine(_directory, "access.log");

    [SetUp]
    public async Task SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("basmalin-access-").FullName;
        _blue = await Backend.StartAsync("blue");
    }

    [TearDown]
    public async Task TearDown()
    {
        await _blue.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task A_request_is_one_line_with_all_that_is_known_of_it()
    {
        var bed = await StartAsync();
        await using (bed)
        {
            using var answer = await bed.Client.GetAsync("/bytes/1000?page=2&token=abc");
            await answer.Content.ReadAsByteArrayAsync();
        }

        var line = Lines().Single();
        Assert.That(line.GetProperty("id").GetString(), Has.Length.EqualTo(32));
        Assert.That(line.GetProperty("time").GetDateTimeOffset(), Is.EqualTo(bed.Time.GetUtcNow()).Within(TimeSpan.FromMinutes(1)));
        Assert.That(Texts(line, "client", "method", "path", "protocol", "stack", "service", "colour", "replica"), Is.EqualTo(new[]
        {
            "127.0.0.1", "GET", "/bytes/1000?page=2&token=***", "HTTP/1.1", "garden", "app", "blue", _blue.Host,
        }));
        Assert.That((line.GetProperty("status").GetInt32(), line.GetProperty("bytes").GetInt64(), line.GetProperty("release").GetInt32()), Is.EqualTo((200, 1000L, 1)));
        Assert.That(line.GetProperty("upstream_ms").GetDouble(), Is.GreaterThan(0).And.LessThanOrEqualTo(line.GetProperty("ms").GetDouble()));
    }

    [Test]
    public async Task The_proxys_own_answers_and_clients_that_left_are_written_too()
    {
        await using (var bed = await StartAsync())
        {
            using var leaving = new CancellationTokenSource();
            var slow = bed.Client.GetAsync("/gate", leaving.Token);
            await _blue.Arrived.Task;
            await leaving.CancelAsync();
            Assert.That(async () => await slow, Throws.InstanceOf<OperationCanceledException>());
            (await bed.Client.GetAsync("/cut")).Dispose();
            bed.Router.Remove("garden");
            (await bed.Client.GetAsync("/nowhere")).Dispose();
        }

        var lines = Lines();
        Assert.That(lines.Select(line => line.GetProperty("status").GetInt32()), Is.EquivalentTo(new[] { 499, 502, 404 }));
        Assert.That(lines.Single(line => line.GetProperty("path").GetString() == "/nowhere").TryGetProperty("stack", out _), Is.False);
    }

    [Test]
    public async Task The_next_lines_go_to_a_new_file_when_the_old_one_was_moved_away()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch);
        await using (var bed = await StartAsync(new AccessLogOptions { File = LogPath }, time))
        {
            await bed.Client.GetStringAsync("/?n=1");
            await WrittenAsync(LogPath, "n=1");
            File.Move(LogPath, LogPath + ".1");
            time.Advance(TimeSpan.FromSeconds(2));
            await bed.Client.GetStringAsync("/?n=2");
        }

        Assert.That(await File.ReadAllTextAsync(LogPath + ".1"), Does.Contain("n=1").And.Not.Contain("n=2"));
        Assert.That(await File.ReadAllTextAsync(LogPath), Does.Contain("n=2").And.Not.Contain("n=1"));
    }

    [Test]
    public async Task Of_a_sample_of_none_the_failures_are_left()
    {
        await using (var bed = await StartAsync(new AccessLogOptions { File = LogPath, Sample = 0 }, TimeProvider.System))
        {
            await bed.Client.GetStringAsync("/");
            (await bed.Client.GetAsync("/status/500")).Dispose();
        }

        Assert.That(Lines().Single().GetProperty("status").GetInt32(), Is.EqualTo(500));
    }

    [Test]
    public async Task A_log_that_cannot_be_written_loses_lines_and_counts_them_but_no_request()
    {
        var bed = await StartAsync(new AccessLogOptions { File = "/dev/full" }, TimeProvider.System);
        await using (bed)
            Assert.That(await bed.Client.GetStringAsync("/"), Is.EqualTo("blue"));

        Assert.That(await bed.MetricsTextAsync(), Does.Contain("basmalin_edge_access_log_dropped_total 1"));
    }

    /// <summary>A pipe whose reader has gone to sleep: it takes some 64 KiB, and then nothing.</summary>
    [Test]
    public async Task A_log_that_takes_nothing_any_more_holds_up_no_request()
    {
        var pipe = Path.Combine(_directory, "pipe");
        using (var made = Process.Start("mkfifo", [pipe])) await made.WaitForExitAsync();
        var reader = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite);
        var bed = await StartAsync(new AccessLogOptions { File = pipe }, TimeProvider.System);
        await using (bed)
        {
            var path = "/?long=" + new string('x', 4000);
            for (var number = 0; number < 100; number++)
                Assert.That(await bed.Client.GetStringAsync(path), Is.EqualTo("blue"), $"request {number}, when 64 KiB are full after the 16th");

            // Who awakes finds all of them.
            var read = Task.Run(async () =>
            {
                using var lines = new StreamReader(reader);
                for (var number = 0; number < 100; number++) Assert.That(await lines.ReadLineAsync(), Does.Contain("xxxx"));
            });
            await read.WaitAsync(TimeSpan.FromSeconds(30));
        }

        Assert.That(await bed.MetricsTextAsync(), Does.Not.Match("basmalin_edge_access_log_dropped_total [1-9]"));
    }

    [TestCase("/a?token=1", "/a?token=***")]
    [TestCase("/a?x=1&API_Key=2&y=3", "/a?x=1&API_Key=***&y=3")]
    [TestCase("/a?to%6ben=1;z=2", "/a?to%6ben=***;z=2")]
    [TestCase("/a?X-Amz-Signature=1&code=2&zip=3&decode=4", "/a?X-Amz-Signature=***&code=***&zip=3&decode=4")]
    [TestCase("/a?password", "/a?password")]
    [TestCase("/token=1", "/token=1")]
    [TestCase("/a?", "/a?")]
    [TestCase("/a?&=x&%zz=1", "/a?&=x&%zz=1")]
    public void Secrets_in_the_query_are_not_written(string target, string written) => Assert.That(QuerySecrets.Redact(target), Is.EqualTo(written));

    private Task<EdgeBed> StartAsync() => StartAsync(new AccessLogOptions { File = LogPath }, TimeProvider.System);

    private async Task<EdgeBed> StartAsync(AccessLogOptions log, TimeProvider time)
    {
        var bed = await EdgeBed.StartAsync(new EdgeOptions { AccessLog = log }, time, intercept: null);
        bed.Publish(bed.Upstream("blue", _blue));
        return bed;
    }

    private List<JsonElement> Lines() => [.. File.ReadAllLines(LogPath).Select(line => JsonDocument.Parse(line).RootElement)];

    private static string?[] Texts(JsonElement line, params string[] names) => [.. names.Select(name => line.GetProperty(name).GetString())];

    private static async Task WrittenAsync(string file, string text)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!File.Exists(file) || !(await File.ReadAllTextAsync(file, limit.Token)).Contains(text, StringComparison.Ordinal))
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
    }
}
