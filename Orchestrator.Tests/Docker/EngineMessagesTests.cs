using System.Text.Json;
using Docker.DotNet.Models;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Docker;

namespace Orchestrator.Tests.Docker;

/// <summary>The engine's streams of messages as people read them.</summary>
public sealed class EngineMessagesTests
{
    private readonly List<string> _lines = [];
    private readonly FakeTimeProvider _time = new();

    [Test]
    public void A_pull_is_told_in_few_lines()
    {
        var heard = 0;
        var progress = new PullProgress(new Listener(_lines), _time, () => heard++);

        progress.Report(new JSONMessage { Status = "Pulling from garden", ID = "1" });
        progress.Report(new JSONMessage { Status = "Pulling fs layer", ID = "aa" });
        for (var step = 1; step <= 10; step++)
        {
            progress.Report(Downloading("aa", step * 1_000_000, 10_000_000));
            progress.Report(Downloading("bb", step * 2_000_000, 20_000_000));
            _time.Advance(TimeSpan.FromMilliseconds(250));
        }

        progress.Report(new JSONMessage { Status = "Pull complete", ID = "aa" });
        progress.Report(new JSONMessage { Status = "Already exists", ID = "cc" });
        progress.Report(new JSONMessage { Status = "Digest: sha256:1234" });

        Assert.That(_lines, Is.EqualTo((string[])
        [
            "Pulling from garden", "downloading 13.0 of 30.0 MB in 2 layers", "downloading 25.0 of 30.0 MB in 2 layers", "aa: Pull complete", "cc: Already exists", "Digest: sha256:1234",
        ]));
        Assert.That((progress.Digest, progress.Error, heard), Is.EqualTo(("sha256:1234", (string?)null, 25)));
    }

    [Test]
    public void A_pull_that_nobody_watches_still_tells_its_digest_and_its_error()
    {
        var progress = new PullProgress(null, _time, () => { });

        progress.Report(new JSONMessage { Status = "Digest: sha256:1234" });
        progress.Report(new JSONMessage { Error = new JSONError { Message = "manifest unknown" } });

        Assert.That((progress.Digest, progress.Error), Is.EqualTo(("sha256:1234", "manifest unknown")));
    }

    [Test]
    public void A_builders_words_become_whole_lines_and_the_last_twenty_are_kept()
    {
        var output = new BuildOutput(new Listener(_lines));

        output.Report(new JSONMessage { Stream = "Step 1/2 : FROM " });
        output.Report(new JSONMessage { Stream = "x\n ---> abc\r\n" });
        for (var i = 0; i < 25; i++) output.Report(new JSONMessage { Stream = $"line {i}\n" });
        output.Report(new JSONMessage { Stream = "cut" });
        output.Report(new JSONMessage { Error = new JSONError { Message = "exit 1" } });
        output.Report(new JSONMessage { Aux = new ObjectExtensionData { ExtensionData = new Dictionary<string, object> { ["ID"] = JsonSerializer.SerializeToElement("sha256:9") } } });

        Assert.That(_lines.Take(2), Is.EqualTo((string[])["Step 1/2 : FROM x", " ---> abc"]));
        Assert.That(output.LastLines, Is.EqualTo((string[])[.. Enumerable.Range(6, 19).Select(i => $"line {i}"), "cut"]));
        Assert.That((output.Error, output.ImageId), Is.EqualTo(("exit 1", "sha256:9")));
    }

    [Test]
    public void A_line_without_an_end_does_not_fill_the_memory()
    {
        var output = new BuildOutput(new Listener(_lines));

        for (var i = 0; i < 100; i++) output.Report(new JSONMessage { Stream = new string('x', 1000) });

        Assert.That(_lines.Select(line => line.Length), Is.All.EqualTo(4096));
        Assert.That(_lines, Has.Count.EqualTo(24));
    }

    [SetUp]
    public void Forget() => _lines.Clear();

    private static JSONMessage Downloading(string layer, long current, long total) =>
        new() { Status = "Downloading", ID = layer, Progress = new JSONProgress { Current = current, Total = total } };

    private sealed class Listener(List<string> lines) : IProgress<string>
    {
        public void Report(string value) => lines.Add(value);
    }
}
