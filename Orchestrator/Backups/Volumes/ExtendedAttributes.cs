using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Backups.Volumes;

/// <summary>Extended attributes of an open file or directory: access lists and capabilities are among them.</summary>
internal static class ExtendedAttributes
{
    /// <returns>Name → value, by name; empty where the file system has none.</returns>
    public static ImmutableSortedDictionary<string, byte[]> Read(int file)
    {
        var none = ImmutableSortedDictionary<string, byte[]>.Empty.WithComparers(StringComparer.Ordinal);
        var size = NativeFiles.ListAttributes(file, null, 0);
        if (size <= 0) return none;

        var names = new byte[size];
        size = NativeFiles.ListAttributes(file, names, names.Length);
        if (size <= 0) return none;

        var all = none.ToBuilder();
        foreach (var name in Encoding.UTF8.GetString(names, 0, (int)size).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Value(file, HostPath.Name(name)) is { } value) all[name] = value;
        }

        return all.ToImmutable();
    }

    public static void Write(int file, IReadOnlyDictionary<string, byte[]> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            if (NativeFiles.SetAttribute(file, HostPath.Name(name), value, value.Length, 0) == 0) continue;
            // Labels of a security module that this host does not have mean nothing here; what users set must not be lost.
            if (HostPath.Error() != NativeFiles.NotSupported || name.StartsWith("user.", StringComparison.Ordinal)) throw HostPath.Failure(HostPath.Name(name));
        }
    }

    /// <returns>Null: it was taken away, or grew, meanwhile.</returns>
    private static byte[]? Value(int file, byte[] name)
    {
        var size = NativeFiles.GetAttribute(file, name, null, 0);
        if (size < 0) return null;

        var value = new byte[size];
        size = NativeFiles.GetAttribute(file, name, value, value.Length);
        return size < 0 ? null : value[..(int)size];
    }
}
