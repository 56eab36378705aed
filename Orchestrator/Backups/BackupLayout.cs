namespace Orchestrator.Backups;

/// <summary>
/// Where things lie in a store. The same in every store, so that one can be copied to another with any tool:
/// <code>
/// @stacks/STACK                                 there are backups of this stack here
/// STACK/RECOVERY.txt, STACK/restore.sh          how to restore without this program
/// STACK/sets/SETID/SERVICE/….zst.age            an object of a set
/// STACK/sets/SETID/manifest.json.sha256         hash of the manifest, as sha256sum writes it
/// STACK/sets/SETID/manifest.json                written last: without it there is no set
/// STACK/streams/SERVICE/….zst.age               what is received continuously, in the order of its keys
/// </code>
/// </summary>
public static class BackupLayout
{
    /// <summary>Of each object: compressed by zstd, then encrypted by age.</summary>
    public const string ObjectEnding = ".zst.age";

    public const string Stacks = "@stacks/";
    public const string Manifest = "manifest.json";
    public const string ManifestHash = "manifest.json.sha256";
    public const string RecoveryCard = "RECOVERY.txt";
    public const string RestoreScript = "restore.sh";

    public static string StackMark(string stack) => $"{Stacks}{stack}";

    /// <summary>Prefix of all sets of a stack.</summary>
    public static string Sets(string stack) => $"{stack}/sets/";

    public static string Set(string stack, BackupSetId set) => $"{stack}/sets/{set}/";

    /// <summary>Prefix of all streams of a stack.</summary>
    public static string Streams(string stack) => $"{stack}/streams/";

    /// <summary>Prefix of one service's continuous stream.</summary>
    public static string Stream(string stack, string service) => $"{stack}/streams/{service}/";
}

/// <summary>Names of <see cref="BackupPart.Facts"/> that are understood outside of the source that wrote them.</summary>
public static class BackupFacts
{
    /// <summary>
    /// The part is a base of a continuous stream and needs the stream from here on: a key below <see cref="BackupLayout.Stream"/> as the writer
    /// returned it, or what keys of that place would begin with. Keys of one stream must sort in its order within their directory. Of a kept base
    /// nothing is removed from the last key before this one on.
    /// </summary>
    public const string StreamFrom = "stream-from";
}
