using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Docker;

public sealed class ContainerOutputTests
{
    private Lab _lab = null!;

    private DockerEngine Engine => _lab.Engine;

    [SetUp]
    public void Open() => _lab = new Lab();

    [TearDown]
    public async Task Close() => await _lab.DisposeAsync();

    [Test]
    public async Task The_last_lines_of_a_stopped_container_are_there_from_both_streams_in_order()
    {
        var began = DateTimeOffset.Parse(await Command.RunAsync("date", "--iso-8601=ns"), System.Globalization.CultureInfo.InvariantCulture);
        var id = await _lab.RunAsync("talker", "sh", "-c", "for i in 1 2 3 4; do echo out $i; sleep 0.05; echo err $i >&2; sleep 0.05; done");
        await Engine.WaitAsync(id, CancellationToken.None);

        var lines = await Engine.TailAsync(id, 3, CancellationToken.None);
        var none = await Engine.TailAsync(id, 0, CancellationToken.None);

        Assert.That(lines.Select(line => (line.Text, line.IsError)), Is.EqualTo(((string, bool)[])[("err 3", true), ("out 4", false), ("err 4", true)]));
        Assert.That(lines.Select(line => line.At), Is.Ordered.And.All.GreaterThan(began));
        Assert.That(none, Is.Empty);
    }

    [Test]
    public async Task A_long_line_is_one_line([Values] bool tty)
    {
        var id = await _lab.RunAsync(_lab.Request(
            "long", new ContainerSettings { Tty = tty }, "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' 'x'; echo; head -c 16384 /dev/zero | tr '\\0' 'y'; echo; echo short"));
        await Engine.WaitAsync(id, CancellationToken.None);

        var lines = await Engine.TailAsync(id, 20, CancellationToken.None);

        Assert.That(lines.Select(line => line.Text), Is.EqualTo((string[])[new string('x', 100_000), new string('y', 16_384), "short"]));
    }

    [Test]
    public async Task A_follower_sees_what_was_and_what_comes_until_the_container_stops()
    {
        var id = await _lab.RunAsync("told", "sh", "-c", "echo one; while ! test -e /tmp/go; do sleep 0.05; done; echo two; echo three");
        var seen = new List<string>();

        await foreach (var line in Engine.FollowAsync(id, 10, CancellationToken.None))
        {
            seen.Add(line.Text);
            if (line.Text == "one") await Engine.ExecAsync(id, ["touch", "/tmp/go"], null, CancellationToken.None);
        }

        Assert.That(seen, Is.EqualTo((string[])["one", "two", "three"]));
    }

    [Test]
    public async Task A_follower_leaves_when_it_is_called_off()
    {
        var id = await _lab.RunAsync("endless", "sh", "-c", "while true; do echo tick; sleep 0.05; done");
        using var stop = new CancellationTokenSource();

        Assert.That(
            async () =>
            {
                await foreach (var _ in Engine.FollowAsync(id, 10, stop.Token)) await stop.CancelAsync();
            },
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_command_gives_its_exit_code_and_both_streams()
    {
        var id = await _lab.RunAsync("host");

        var result = await Engine.ExecAsync(id, ["sh", "-c", "echo out; echo err >&2; exit 5"], null, CancellationToken.None);

        Assert.That(result.ExitCode, Is.EqualTo(5));
        Assert.That(result.Output, Does.Contain("out\n").And.Contain("err\n"));
    }

    [Test]
    public async Task A_commands_output_streams_past_without_being_kept()
    {
        const long Size = 64L << 20;
        var id = await _lab.RunAsync("dumper");
        await using var counter = new CountingStream();
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var result = await Engine.ExecAsync(id, ["sh", "-c", $"echo begun >&2; head -c {Size} /dev/zero"], counter, CancellationToken.None);

        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.That((result.ExitCode, result.Output, counter.Length), Is.EqualTo((0L, "begun\n", Size)));
        Assert.That(allocated, Is.LessThan(Size / 2), "bytes allocated while it streamed");
    }

    [Test]
    public async Task Only_the_first_64_KiB_of_a_commands_output_are_kept()
    {
        var id = await _lab.RunAsync("wordy");

        var result = await Engine.ExecAsync(id, ["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' 'x'"], null, CancellationToken.None);

        Assert.That(result.Output, Has.Length.EqualTo(65_536));
    }

    [Test]
    public async Task A_command_that_is_not_there_and_one_in_a_stopped_container_are_told_apart()
    {
        var id = await _lab.RunAsync("quiet");
        var absent = await Engine.ExecAsync(id, ["/no/such/command", "--password=correct-horse"], null, CancellationToken.None);
        await Engine.StopAsync(id, TimeSpan.Zero, CancellationToken.None);

        var stopped = await Lab.FailureAsync(() => Engine.ExecAsync(id, ["sh", "-c", "correct-horse"], null, CancellationToken.None));

        Assert.That(absent.ExitCode, Is.EqualTo(126).Or.EqualTo(127));
        Assert.That(stopped.Fault, Is.EqualTo(EngineFault.Conflict));
        Assert.That(stopped.ToString(), Does.Contain("run sh in container").And.Not.Contain("correct-horse"));
    }

    [Test]
    public async Task Events_tell_what_happens_to_containers_of_ours()
    {
        using var stop = new CancellationTokenSource();
        var seen = new List<EngineEvent>();
        var listening = new TaskCompletionSource();
        var events = Engine.EventsAsync(listening.SetResult, stop.Token).GetAsyncEnumerator(stop.Token);
        var next = events.MoveNextAsync().AsTask();
        await listening.Task;
        await Command.RunAsync("docker", "run", "--rm", DockerSetUp.Image, "true");
        var id = await _lab.RunAsync("watched", "sh", "-c", "exit 4");
        await Engine.WaitAsync(id, CancellationToken.None);
        await Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None);

        while (await next && !(events.Current.Container == id && events.Current.Action == "destroy"))
        {
            seen.Add(events.Current);
            next = events.MoveNextAsync().AsTask();
        }

        await stop.CancelAsync();
        var about = seen.Where(one => one.Container == id).ToArray();
        Assert.That(about.Select(one => one.Action).Where(action => action != EngineEvent.OffNetwork), Is.EqualTo((string[])["create", "start", "die"]));
        Assert.That(about.Select(one => one.Action), Has.Member(EngineEvent.OffNetwork), "it leaves its network when it ends");
        Assert.That(about.Single(one => one.Action == "die").Attributes["exitCode"], Is.EqualTo("4"));
        Assert.That(about.Single(one => one.Action == "die").Attributes["basmalin.service"], Is.EqualTo("watched"));
        Assert.That(seen.Where(one => one.Action != EngineEvent.OffNetwork).Select(one => one.Attributes), Is.All.ContainKey("basmalin.stack"), "of other containers nothing is heard but that");
        await events.DisposeAsync();
    }

    private sealed class CountingStream : Stream
    {
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _length += buffer.Length;
            return ValueTask.CompletedTask;
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => _length += count;
    }
}
