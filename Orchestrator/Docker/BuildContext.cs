using System.Collections.Immutable;
using System.Formats.Tar;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

/// <summary>The directory that an image is built from, as a tar for the engine. Never held in memory.</summary>
internal sealed class BuildContext
{
    private const string IgnoreFile = ".dockerignore";

    /// <summary>A Dockerfile from outside the context goes in under this name.</summary>
    private const string OutsideDockerfile = ".basmalin.Dockerfile";

    private readonly string _root;
    private readonly string _dockerfilePath;
    private readonly ImmutableHashSet<string> _always;
    private readonly DockerIgnore _ignore;

    private BuildContext(string root, string dockerfilePath, string dockerfile, DockerIgnore ignore)
    {
        (_root, _dockerfilePath, Dockerfile, _ignore) = (root, dockerfilePath, dockerfile, ignore);
        // The engine needs both, even when the file keeps them out of the image.
        _always = [dockerfile, IgnoreFile];
    }

    /// <summary>Its name inside the tar.</summary>
    public string Dockerfile { get; }

    /// <exception cref="IOException">The directory or the Dockerfile is not there.</exception>
    public static BuildContext Open(BuildSpec spec)
    {
        var root = Path.GetFullPath(spec.Context);
        if (!Directory.Exists(root)) throw new DirectoryNotFoundException($"the build context {root} is no directory");
        var dockerfile = Path.GetFullPath(Path.Combine(root, spec.Dockerfile));
        if (!File.Exists(dockerfile)) throw new FileNotFoundException($"there is no {dockerfile}");

        var inside = Path.GetRelativePath(root, dockerfile).Replace('\\', '/');
        var isInside = inside != ".." && !inside.StartsWith("../", StringComparison.Ordinal) && !Path.IsPathRooted(inside);
        var own = $"{dockerfile}{IgnoreFile}";
        var general = Path.Combine(root, IgnoreFile);
        var lines = File.Exists(own) ? File.ReadLines(own) : File.Exists(general) ? File.ReadLines(general) : [];
        return new BuildContext(root, dockerfile, isInside ? inside : OutsideDockerfile, DockerIgnore.Parse(lines));
    }

    /// <summary>Writes the tar. Sorted, without owners: the same directory gives the same archive, which keeps the engine's cache warm.</summary>
    public async Task WriteToAsync(Stream output, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(output, TarEntryFormat.Gnu, leaveOpen: true);
        if (Dockerfile == OutsideDockerfile) await WriteFileAsync(tar, new FileInfo(_dockerfilePath), OutsideDockerfile, cancellationToken);
        await WriteDirectoryAsync(tar, new DirectoryInfo(_root), "", cancellationToken);
    }

    private async Task WriteDirectoryAsync(TarWriter tar, DirectoryInfo directory, string prefix, CancellationToken cancellationToken)
    {
        foreach (var child in directory.EnumerateFileSystemInfos().OrderBy(info => info.Name, StringComparer.Ordinal))
        {
            var path = prefix + child.Name;
            var excluded = _ignore.Excludes(path) && !_always.Contains(path);
            if (child.LinkTarget is { } target)
            {
                if (!excluded) await tar.WriteEntryAsync(Entry(TarEntryType.SymbolicLink, path, child, target), cancellationToken);
            }
            else if (child is DirectoryInfo below)
            {
                if (!excluded) await tar.WriteEntryAsync(Entry(TarEntryType.Directory, path + "/", child, null), cancellationToken);
                if (!excluded || _ignore.HasExceptions || _always.Any(name => name.StartsWith(path + "/", StringComparison.Ordinal)))
                    await WriteDirectoryAsync(tar, below, path + "/", cancellationToken);
            }
            else if (!excluded && child is FileInfo file) await WriteFileAsync(tar, file, path, cancellationToken);
        }
    }

    private static async Task WriteFileAsync(TarWriter tar, FileInfo file, string path, CancellationToken cancellationToken)
    {
        var entry = Entry(TarEntryType.RegularFile, path, file, null);
        // A pipe or a socket has no length either; opened, a pipe would wait for a writer for ever.
        await using var content = file.Length > 0 ? new FixedLengthStream(OpenRead(file)) : null;
        entry.DataStream = content;
        await tar.WriteEntryAsync(entry, cancellationToken);
    }

    private static FileStream OpenRead(FileInfo file) =>
        new(file.FullName, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.SequentialScan });

    private static GnuTarEntry Entry(TarEntryType type, string name, FileSystemInfo info, string? target)
    {
        var entry = new GnuTarEntry(type, name) { ModificationTime = new DateTimeOffset(info.LastWriteTimeUtc) };
        if (target is not null) entry.LinkName = target;
        else entry.Mode = info.UnixFileMode;
        return entry;
    }
}
