using System.Buffers;

namespace Orchestrator.Backups.Stores;

/// <summary>What a key may look like, so that it is the same in every store and leads nowhere else.</summary>
public static class StoreKeys
{
    public const string Expected = "parts of A-Z a-z 0-9 . _ = @ - with / between them, none of them empty or beginning with a dot, at most 900 characters";

    private const int Longest = 900;        // S3 allows 1024 bytes
    private const int LongestPart = 255;    // a file's name

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=@-");

    public static bool IsValid(string key) =>
        key.Length is > 0 and <= Longest && key.Split('/').All(part =>
            part.Length is > 0 and <= LongestPart && part[0] != '.' && part.AsSpan().IndexOfAnyExcept(Allowed) < 0);

    /// <exception cref="ArgumentException">It is none: a defect of whoever made it.</exception>
    public static string Check(string key) => IsValid(key) ? key : throw new ArgumentException($"'{key}' is no key of a store: {Expected}.", nameof(key));
}
