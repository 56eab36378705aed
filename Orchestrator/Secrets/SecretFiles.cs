using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Secrets;

/// <summary>
/// Secrets and configurations as files on the host, to be mounted read-only into containers. The directories above are the daemon's alone (0700);
/// the engine mounts the file itself, so that its mode is what the container sees.
/// </summary>
/// <remarks>A file's name says its content, so that a file that is mounted somewhere is never rewritten: another content or owner is another file.</remarks>
public sealed class SecretFiles(string dataDirectory, KeyRing keys)
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _root = Path.Combine(dataDirectory, "files");

    /// <summary>Lays the content down unless it is there.</summary>
    /// <param name="mode">Unix permission bits, e.g. 0444.</param>
    /// <param name="owner">Who owns the file in the container; null: root.</param>
    /// <returns>The absolute path on the host.</returns>
    public string Materialise(string stack, string name, Secret content, int mode, FileOwner? owner)
    {
        var bytes = Encoding.UTF8.GetBytes(content.Reveal());
        try
        {
            var directory = MakeDirectory(stack);
            var path = Path.Combine(directory, $"{FileName(name)}.{Fingerprint(stack, name, bytes, mode, owner)}");
            if (File.Exists(path)) return path;

            Write(path, bytes, (UnixFileMode)(mode & 0x1FF), owner);
            return path;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Deletes the files of a stack that no container uses.</summary>
    /// <param name="inUse">Paths on the host that are mounted into containers, or will be.</param>
    /// <returns>How many.</returns>
    public int RemoveUnused(string stack, IReadOnlySet<string> inUse)
    {
        var directory = Path.Combine(_root, FileName(stack));
        if (!Directory.Exists(directory)) return 0;

        var unused = Directory.EnumerateFiles(directory).Where(path => !inUse.Contains(path)).ToList();
        unused.ForEach(File.Delete);
        if (!Directory.EnumerateFileSystemEntries(directory).Any()) Directory.Delete(directory);
        return unused.Count;
    }

    // Root's, also when the daemon is not root; one that may not give files away leaves them its own.
    private static void Write(string path, byte[] bytes, UnixFileMode mode, FileOwner? owner)
    {
        try
        {
            DurableFile.Write(path, bytes, mode, owner ?? new FileOwner(0, 0));
        }
        catch (IOException) when (owner is null)
        {
            DurableFile.Write(path, bytes, mode, owner: null);
        }
    }

    private string MakeDirectory(string stack)
    {
        var directory = Path.GetFullPath(Path.Combine(_root, FileName(stack)));
        foreach (var level in (string[])[_root, directory])      // one by one: the mode is that of the last level only
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(level);
            else Directory.CreateDirectory(level, DirectoryMode);
        }

        return directory;
    }

    private static string FileName(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));

    private string Fingerprint(string stack, string name, byte[] content, int mode, FileOwner? owner) =>
        keys.Fingerprint([.. Encoding.UTF8.GetBytes($"{stack}\n{name}\n{mode}\n{owner?.Uid}\n{owner?.Gid}\n"), .. content]);
}
