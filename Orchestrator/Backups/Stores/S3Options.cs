namespace Orchestrator.Backups.Stores;

/// <summary>A bucket, and how its server wants to be spoken to.</summary>
public sealed record S3Options
{
    public required Uri Endpoint { get; init; }

    public required string Bucket { get; init; }

    /// <summary>Before every key, without slashes at its ends; empty: none.</summary>
    public string Prefix { get; init; } = "";

    public string Region { get; init; } = "us-east-1";

    public required string AccessKey { get; init; }

    public required string SecretKey { get; init; }

    /// <summary>The bucket in the path rather than in the host's name: what most servers other than Amazon's want.</summary>
    public bool PathStyle { get; init; } = true;

    /// <summary>False: bodies are not signed, for servers that refuse it. Over HTTPS only.</summary>
    public bool SignPayload { get; init; } = true;

    /// <summary>The most parts that the server takes in one upload, from 100 to 10,000. Some take 1000; with those an object has at most 56 GB.</summary>
    public int MostParts { get; init; } = 1000;

    /// <summary>Of new objects, as the server calls it; null: its default. Classes from which nothing can be read at once are of no use: each object is read back.</summary>
    public string? StorageClass { get; init; }

    /// <summary>How long one request may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How often a request is repeated that may be.</summary>
    public int Retries { get; init; } = 4;

    /// <summary>Before the first repeat; doubled each time, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Objects up to this size are read back whole after the upload, larger ones in samples.</summary>
    public long ReadBackWhole { get; init; } = 16L << 20;
}

/// <summary>What a server can do, found out by trying.</summary>
/// <param name="ConditionalPut">An object is not overwritten when that is asked for.</param>
/// <param name="ListsUploads">Uploads that were left behind can be found and removed.</param>
public sealed record S3Capabilities(bool ConditionalPut, bool ListsUploads);
