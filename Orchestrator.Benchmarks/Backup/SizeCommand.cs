using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Backups;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Backup;

/// <summary><c>size</c>: one copy of one server, in a process of its own, so that nothing which an earlier copy left behind counts as memory of this one.</summary>
internal static class SizeCommand
{
    private const string Name = "size";

    public static Command Create()
    {
        var stack = new Option<string>("--stack") { Description = "What the server belongs to", Required = true };
        var container = new Option<string>("--container") { Description = "The server, as 'backup' has started and filled it", Required = true };
        var directory = new Option<DirectoryInfo>("--directory") { Description = "Where the copy goes, for as long as it is measured", Required = true };
        var verb = new Command(Name, "Copies one server of 'backup' and says what time and memory that took, as JSON.") { stack, container, directory };
        verb.SetAction(async (parsed, cancellationToken) =>
        {
            var copied = await CopyAsync(parsed.GetRequiredValue(stack), parsed.GetRequiredValue(container), parsed.GetRequiredValue(directory).FullName, cancellationToken);
            Console.WriteLine(JsonSerializer.Serialize(copied));
        });
        return verb;
    }

    /// <summary>Starts that process, and waits for it.</summary>
    public static async Task<SizeResult> RunAsync(BenchCluster cluster, BackupSubject subject, CancellationToken cancellationToken)
    {
        var bytes = await BenchCluster.BytesAsync(subject, cancellationToken);
        Progress.Say($"backup: copying {bytes / 1_000_000} MB");
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        var said = await ExternalProgram.RunAsync(
            program, [Name, "--stack", cluster.Stack, "--container", subject.Container.Id.Value, "--directory", cluster.Directory], cancellationToken);
        var copied = JsonSerializer.Deserialize<SizeResult>(said) ?? throw new InvalidOperationException($"{Name} said nothing.");
        Progress.Say(string.Create(CultureInfo.InvariantCulture, $"backup: {copied.Seconds:0.0} s, {copied.BeforeMegabytes:0} MB before, {copied.PeakMegabytes:0} MB at most"));
        return copied with { Megabytes = bytes / 1e6 };
    }

    private static async Task<SizeResult> CopyAsync(string stack, string container, string directory, CancellationToken cancellationToken)
    {
        await using var engine = BenchCluster.OpenEngine();
        var subject = await BenchCluster.SubjectAsync(engine, stack, container, cancellationToken);
        var keep = new BenchStore(directory, stack, "size");
        try
        {
            var before = Environment.WorkingSet / 1e6;
            var began = TimeProvider.System.GetTimestamp();
            var (_, peak) = await PeakMemory.OfAsync(() => BenchCluster.Source(engine, directory, TimeProvider.System).BackupAsync(subject, keep.Writer, cancellationToken));
            return new(0, TimeProvider.System.GetElapsedTime(began).TotalSeconds, before, peak);
        }
        finally
        {
            keep.Remove();
        }
    }
}

/// <param name="BeforeMegabytes">What the process held when the copy began.</param>
internal sealed record SizeResult(double Megabytes, double Seconds, double BeforeMegabytes, double PeakMegabytes);
