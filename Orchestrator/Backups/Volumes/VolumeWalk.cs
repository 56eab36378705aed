namespace Orchestrator.Backups.Volumes;

/// <summary>
/// Goes through a volume in the order of names, a directory before what is in it. Holds the names of the directories on the way down, and nothing else.
/// What vanishes on the way is told and left out; what is mounted into the volume is not the volume's.
/// </summary>
/// <param name="each">Gets every file, directory and symbolic link.</param>
internal sealed class VolumeWalk(Func<WalkedEntry, ValueTask> each, VolumeNotes notes, CancellationToken cancellationToken)
{
    private ulong _device;

    public async Task RunAsync(string directory)
    {
        using var root = HostDirectory.Open(directory);
        var status = HostPath.Status(root.Number);
        _device = status.Device;
        await each(new WalkedEntry([], HostPath.Name("."), root, root, status));
        await InsideAsync(root, []);
    }

    private async Task InsideAsync(HostDirectory directory, byte[] path)
    {
        foreach (var name in directory.Names())
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[] inside = path.Length == 0 ? name[..^1] : [.. path, (byte)'/', .. name[..^1]];
            if (HostPath.TryStatus(directory.Number, name) is not { } status) notes.Add(inside, "vanished while the volume was read");
            else if (status.Device != _device) notes.Add(inside, "is on another file system, and left out");
            else if (status.Kind == FileKind.Other) notes.Add(inside, "is a pipe, a socket or a device, and left out");
            else if (status.Kind == FileKind.Directory) await EnterAsync(directory, name, inside);
            else await each(new WalkedEntry(inside, name, directory, null, status));
        }
    }

    private async Task EnterAsync(HostDirectory parent, byte[] name, byte[] path)
    {
        using var directory = parent.TryOpen(name);
        if (directory is null)
        {
            notes.Add(path, "vanished while the volume was read");
            return;
        }

        // Asked of what was opened: the name may mean something else by now.
        await each(new WalkedEntry(path, name, parent, directory, HostPath.Status(directory.Number)));
        await InsideAsync(directory, path);
    }
}

/// <summary>What of a volume could not be kept as it was; no failure, but worth being told.</summary>
internal sealed class VolumeNotes
{
    private const int Kept = 20;

    private readonly List<string> _first = [];

    public int Count { get; private set; }

    /// <summary>The first twenty.</summary>
    public IReadOnlyList<string> First => _first;

    public void Add(byte[] path, string what)
    {
        Count++;
        if (_first.Count < Kept) _first.Add($"{Printable(path)} {what}");
    }

    private static string Printable(byte[] path) => IndexLine.Escape(path) is var text && text.Length > 200 ? text[..200] + "…" : text;
}
