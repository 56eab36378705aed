using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Backups;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Volumes;
using Orchestrator.Docker;
using Orchestrator.Stacks;
using Orchestrator.Tests.Docker;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Backups.Volumes;

/// <summary>A directory that stands for a volume, one to restore into, and a store of plain files. Odd things are made by the shell and the system's own tools.</summary>
internal sealed class VolumeBed : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private string _restored = "";

    public VolumeBed()
    {
        Store = new SourceStore(Path.Combine(_directory.Path, "store"));
        Time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(10));      // files of now have settled
        Source = NewSource();
        Directory.CreateDirectory(Files);
    }

    public SourceStore Store { get; }

    public VolumeSource Source { get; private set; }

    public FakeTimeProvider Time { get; }

    /// <summary>The volume.</summary>
    public string Files => Path.Combine(_directory.Path, "files");

    public BackupSubject Subject { get; private set; } = null!;

    /// <summary>A place that is in no volume.</summary>
    public string Beside(string name) => Path.Combine(_directory.Path, name);

    public string this[string path] => Path.Combine(Files, path);

    public Task<BackupPart> BackupAsync()
    {
        Subject = Of(Files);
        return Store.KeepAsync(writer => Source.BackupAsync(Subject, writer, CancellationToken.None));
    }

    /// <summary>The same, with its manifest and its recovery card in the store.</summary>
    public Task PublishAsync() => Store.PublishAsync(writer => Source.BackupAsync(Of(Files), writer, CancellationToken.None), part => ((IBackupSource)Source).Recovery(part)!);

    /// <summary>Restores into a new directory, and returns it.</summary>
    /// <param name="reader">Null: of the bed's own store.</param>
    public async Task<string> RestoreAsync(BackupPart part, BackupReader? reader = null)
    {
        _restored = Directory.CreateDirectory(Path.Combine(_directory.Path, $"restored-{Guid.NewGuid():n}")).FullName;
        var target = new RestoreTarget
        {
            Stack = "garden",
            Service = Service,
            Image = "app",
            Point = new RestorePoint.OfSet(),
            Directories = ImmutableSortedDictionary<string, string>.Empty.Add("/uploads", _restored),
        };
        await Source.RestoreAsync(part, target, reader ?? Store.Reader, CancellationToken.None);
        return _restored;
    }

    /// <summary>Of what was restored last.</summary>
    public Task<ImmutableSortedDictionary<string, string>> RestoredFingerprintsAsync() => Source.FingerprintsAsync(Of(_restored), CancellationToken.None);

    /// <summary>As if the daemon had lost what it keeps of the last backup.</summary>
    public void Forget() => Directory.Delete(Path.Combine(_directory.Path, "kept"), recursive: true);

    public static Task<string> ShellAsync(string directory, string script) => Command.RunAsync("sh", "-c", $"cd '{directory}' && {script}");

    /// <summary>All that the system's own tools say of a tree: kinds, modes, owners, times, sizes, blocks, link targets, contents, attributes.</summary>
    public static async Task<string> DescribeAsync(string directory)
    {
        await Command.EnsureAsync("/usr/bin/getfattr", "attr");
        return await ShellAsync(directory, "find . -printf '%p|%y|%m|%U|%G|%T@|%s|%l|%n\\n' | LC_ALL=C sort | od -c")
            + await ShellAsync(directory, "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum")
            + await ShellAsync(directory, "find . -print0 | LC_ALL=C sort -z | xargs -0 -r getfattr -h -d -m - 2>/dev/null || true");
    }

    public void Dispose()
    {
        // .NET cannot delete names that are no text.
        using var remove = System.Diagnostics.Process.Start("rm", ["-rf", _directory.Path]);
        remove.WaitForExit();
        Directory.CreateDirectory(_directory.Path);
        _directory.Dispose();
    }

    private static BackupSubject Of(string directory) => new()
    {
        Stack = "garden",
        Service = Service,
        Container = new ObservedContainer
        {
            Id = new ContainerId("none"),
            Name = "app",
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            State = ContainerState.Running,
            ImageId = "none",
            Directories = ImmutableSortedDictionary<string, string>.Empty.Add("/uploads", directory),
        },
        Image = "app",
        Address = "none",
    };

    private VolumeSource NewSource() => new(new VolumeSourceOptions(Path.Combine(_directory.Path, "kept")), Time, NullLogger<VolumeSource>.Instance);

    private static ServiceSpec Service { get; } = new()
    {
        Name = "app",
        Role = ServiceRole.Stateful,
        Coloured = false,
        Image = "app",
        Container = new ContainerSettings { Mounts = [new(MountKind.Volume, "uploads", "/uploads", ReadOnly: false, CreateHostPath: false)] },
        BasMalin = new BasMalinSpec { Backup = new BackupSpec { Kind = "volume" } },
    };
}
