namespace Orchestrator.Agent.Hosting;

/// <summary>A place that backups are kept in besides the local directory: another directory, or a bucket of anything that speaks S3. A zone of its own.</summary>
public sealed record BackupStoreOptions
{
    /// <summary>Unique among the stores; <c>local</c> is the local directory's.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute. Null: it is a bucket.</summary>
    public string? Directory { get; init; }

    /// <summary>Null: it is a directory.</summary>
    public BackupBucketOptions? Bucket { get; init; }
}

/// <summary>A bucket. Its keys lie in files, so that they are in no listing of settings.</summary>
public sealed record BackupBucketOptions
{
    public required Uri Endpoint { get; init; }

    public required string Name { get; init; }

    public string Region { get; init; } = "us-east-1";

    /// <summary>Before every key; empty: none.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Absolute path of the file with the access key's name.</summary>
    public required string AccessKeyFile { get; init; }

    /// <summary>Absolute path of the file with the secret key.</summary>
    public required string SecretKeyFile { get; init; }

    /// <summary>The bucket in the path: what most servers other than Amazon's want.</summary>
    public bool PathStyle { get; init; } = true;

    /// <summary>False: bodies are not signed; over HTTPS only.</summary>
    public bool SignPayload { get; init; } = true;

    /// <summary>From 100 to 10,000.</summary>
    public int MostParts { get; init; } = 1000;

    /// <summary>As the server calls it; null: its default.</summary>
    public string? StorageClass { get; init; }
}
