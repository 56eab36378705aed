using System.Collections.Immutable;
using System.Formats.Tar;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Docker;

public sealed class ImageBuildTests
{
    private Lab _lab = null!;
    private DirectoryInfo _context = null!;
    private string _reference = null!;

    private DockerEngine Engine => _lab.Engine;

    [SetUp]
    public void Open()
    {
        _lab = new Lab();
        _context = Directory.CreateTempSubdirectory("basmalin-build-");
        _reference = $"basmalin-test/{_lab.Stack}:built";
    }

    [TearDown]
    public async Task Close()
    {
        foreach (var container in await Engine.ListAsync(_lab.Stack, CancellationToken.None)) await Engine.RemoveAsync(container.Id, TimeSpan.Zero, CancellationToken.None);
        await Engine.RemoveImageAsync(_reference, CancellationToken.None);
        await _lab.DisposeAsync();
        _context.Delete(recursive: true);
    }

    [Test]
    public async Task An_image_is_built_with_all_that_was_asked_for()
    {
        Write("Dockerfile.garden", $"""
            FROM {DockerSetUp.Image} AS base
            ARG COLOUR=none
            COPY . /src
            RUN echo "$COLOUR" > /colour
            FROM base AS final
            HEALTHCHECK CMD true
            EXPOSE 9090
            FROM final AS unwanted
            RUN exit 1
            """);
        Write("a/b.txt", "b");
        Write("ignored/secret.txt", "no");
        Write("ignored/kept.txt", "yes");
        Write(".dockerignore", "ignored\n!ignored/kept.txt\nDockerfile*\n");
        File.CreateSymbolicLink(Path.Combine(_context.FullName, "link"), "a/b.txt");
        await Command.RunAsync("chmod", "500", Path.Combine(_context.FullName, "a/b.txt"));
        var lines = new List<string>();

        var built = await Engine.BuildAsync(
            Request(new BuildSpec { Context = _context.FullName, Dockerfile = "Dockerfile.garden", Target = "final", Args = Map("COLOUR", "green"), Labels = Map("made", "here") }),
            new Listener(lines),
            CancellationToken.None);
        var id = await _lab.RunAsync(_lab.Request("look", null, "sh", "-c", "cat /colour; cd /src; find . ! -type d | sort; stat -c %a a/b.txt; readlink link") with { Image = built.Pinned });
        await Engine.WaitAsync(id, CancellationToken.None);

        Assert.Multiple(async () =>
        {
            Assert.That((await Engine.TailAsync(id, 20, CancellationToken.None)).Select(line => line.Text),
                Is.EqualTo((string[])["green", "./.dockerignore", "./a/b.txt", "./ignored/kept.txt", "./link", "500", "a/b.txt"]));
            Assert.That((built.Reference, built.Digest, built.HasHealthcheck), Is.EqualTo((_reference, (string?)null, true)));
            Assert.That(built.ExposedPorts, Is.EqualTo((int[])[8080, 9090]));
            Assert.That(await Command.RunAsync("docker", "inspect", "--format", "{{.Config.Labels.made}} {{index .Config.Labels \"basmalin.stack\"}} {{.Id}}", _reference), Is.EqualTo($"here {_lab.Stack} {built.Id}"));
            Assert.That(lines, Has.Some.StartsWith("Step 1/").And.Some.StartsWith("Successfully built"));
        });
    }

    [Test]
    public async Task A_step_that_fails_is_said_with_the_last_lines()
    {
        Write("Dockerfile", $"FROM {DockerSetUp.Image}\nARG KEY\nRUN for i in $(seq 40); do echo line $i; done; exit 3\n");

        var thrown = await Lab.FailureAsync(
            () => Engine.BuildAsync(Request(new BuildSpec { Context = _context.FullName, Args = Map("KEY", "correct-horse") }), null, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.BuildFailed));
        Assert.That(thrown.Message, Does.Contain("returned a non-zero code: 3").And.Contain("\nline 40").And.Not.Contain("\nline 20\n").And.Not.Contain("correct-horse"));
    }

    [Test]
    public async Task A_file_that_cannot_be_read_and_a_base_that_is_not_there_are_builds_that_failed()
    {
        Write("Dockerfile", "FROM localhost:1/no/such/base:1\n");
        var baseless = await Lab.FailureAsync(() => Engine.BuildAsync(Request(new BuildSpec { Context = _context.FullName }), null, CancellationToken.None));
        Write("Dockerfile", "NONSENSE\n");
        var nonsense = await Lab.FailureAsync(() => Engine.BuildAsync(Request(new BuildSpec { Context = _context.FullName }), null, CancellationToken.None));
        var fileless = await Lab.FailureAsync(() => Engine.BuildAsync(Request(new BuildSpec { Context = _context.FullName, Dockerfile = "Other" }), null, CancellationToken.None));
        var nowhere = await Lab.FailureAsync(() => Engine.BuildAsync(Request(new BuildSpec { Context = "/no/such/directory" }), null, CancellationToken.None));

        Assert.Multiple(() =>
        {
            Assert.That(((EngineException[])[baseless, nonsense, fileless, nowhere]).Select(thrown => thrown.Fault), Is.All.EqualTo(EngineFault.BuildFailed));
            Assert.That(baseless.Message, Does.Contain("localhost:1"));
            Assert.That(nonsense.Message, Does.Contain("NONSENSE"));
            Assert.That(fileless.Message, Does.Contain("/Other"));
            Assert.That(nowhere.Message, Does.Contain("/no/such/directory is no directory"));
        });
    }

    [Test]
    public async Task A_large_context_streams_past_without_being_kept()
    {
        const long Size = 64L << 20;
        Write("Dockerfile", $"FROM {DockerSetUp.Image}\nCOPY big /big\n");
        await using (var big = File.Create(Path.Combine(_context.FullName, "big"))) big.SetLength(Size);
        var before = GC.GetTotalAllocatedBytes(precise: true);

        await Engine.BuildAsync(Request(new BuildSpec { Context = _context.FullName }), null, CancellationToken.None);

        Assert.That(GC.GetTotalAllocatedBytes(precise: true) - before, Is.LessThan(Size / 2), "bytes allocated while it streamed");
    }

    [Test]
    public async Task A_build_is_called_off_by_its_token()
    {
        Write("Dockerfile", $"FROM {DockerSetUp.Image}\nRUN echo begun; sleep 600\n");
        using var stop = new CancellationTokenSource();

        var build = Engine.BuildAsync(Request(new BuildSpec { Context = _context.FullName }), new Reaction("begun", stop.Cancel), stop.Token);

        Assert.That(async () => await build, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_dockerfile_from_outside_the_context_goes_in()
    {
        Write("Dockerfile", $"FROM {DockerSetUp.Image}\nCOPY x /x\n");
        Write("context/x", "x");

        var built = await Engine.BuildAsync(
            Request(new BuildSpec { Context = Path.Combine(_context.FullName, "context"), Dockerfile = "../Dockerfile" }), null, CancellationToken.None);

        Assert.That(built.Id, Does.StartWith("sha256:"));
    }

    [Test]
    public async Task The_same_directory_gives_the_same_archive_and_a_pipe_in_it_stops_nothing()
    {
        Write("Dockerfile", "FROM x\n");
        Write($"{new string('d', 120)}/{new string('f', 120)}é.txt", "long");
        Write("empty", "");
        Directory.CreateDirectory(Path.Combine(_context.FullName, "hollow"));
        await Command.RunAsync("mkfifo", Path.Combine(_context.FullName, "pipe"));

        var first = await ArchiveAsync();
        var second = await ArchiveAsync();

        Assert.That(second, Is.EqualTo(first));
        using var tar = new TarReader(new MemoryStream(first));
        var names = new List<string>();
        while (await tar.GetNextEntryAsync() is { } entry) names.Add(entry.Name);
        Assert.That(names, Is.EqualTo((string[])["Dockerfile", $"{new string('d', 120)}/", $"{new string('d', 120)}/{new string('f', 120)}é.txt", "empty", "hollow/", "pipe"]));
    }

    [Test]
    public async Task A_file_that_grows_while_it_is_read_does_not_spoil_the_archive()
    {
        Write("grows", "12345");
        await using var file = File.OpenRead(Path.Combine(_context.FullName, "grows"));
        await using var stream = new FixedLengthStream(file);
        await File.AppendAllTextAsync(file.Name, "67890");
        using var copy = new MemoryStream();

        await stream.CopyToAsync(copy);

        Assert.That(copy.ToArray(), Is.EqualTo("12345"u8.ToArray()));
    }

    [Test]
    public async Task A_file_that_shrinks_while_it_is_read_is_an_error()
    {
        Write("shrinks", "12345");
        var path = Path.Combine(_context.FullName, "shrinks");
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        await using var stream = new FixedLengthStream(file);
        await File.WriteAllTextAsync(path, "1");
        using var copy = new MemoryStream();

        Assert.That(async () => await stream.CopyToAsync(copy), Throws.InstanceOf<IOException>().With.Message.Contain("shorter"));
    }

    private static ImmutableSortedDictionary<string, string> Map(string key, string value) => ImmutableSortedDictionary<string, string>.Empty.Add(key, value);

    private async Task<byte[]> ArchiveAsync()
    {
        using var archive = new MemoryStream();
        await BuildContext.Open(new BuildSpec { Context = _context.FullName }).WriteToAsync(archive, CancellationToken.None);
        return archive.ToArray();
    }

    private BuildRequest Request(BuildSpec spec) => new(_reference, spec, null, _lab.Labels);

    private void Write(string path, string content)
    {
        var full = Path.Combine(_context.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    private sealed class Listener(List<string> lines) : IProgress<string>
    {
        public void Report(string value) => lines.Add(value);
    }

    private sealed class Reaction(string line, Action act) : IProgress<string>
    {
        public void Report(string value)
        {
            if (value == line) act();
        }
    }
}
