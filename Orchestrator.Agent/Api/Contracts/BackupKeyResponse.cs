using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A key that can read what is backed up from now on.</summary>
/// <param name="Recipient">The public key, <c>age1…</c>.</param>
/// <param name="Fingerprint">The first 16 hexadecimal digits of its SHA-256.</param>
/// <param name="Label">host: the daemon's own; settings: agent.yml; otherwise as it was given.</param>
/// <param name="AddedAt">Null: it stands in the settings.</param>
/// <param name="Drill">The host's own, with which sets are drilled.</param>
public sealed record BackupKeyResponse(string Recipient, string Fingerprint, string Label, DateTimeOffset? AddedAt, bool Drill);

/// <summary>Who can read the backups.</summary>
public sealed record BackupKeysResponse
{
    public ImmutableArray<BackupKeyResponse> Keys { get; init; } = [];

    /// <summary>What is wrong with the keys; null: nothing.</summary>
    public string? Problem { get; init; }

    public string? Hint { get; init; }
}

/// <summary>A public key to be added.</summary>
public sealed record AddBackupKeyRequest
{
    /// <summary><c>age1…</c>; the private half stays with whoever made it.</summary>
    public required string Recipient { get; init; }

    /// <summary>1 to 40 letters, digits and <c>. _ -</c>; null: recovery.</summary>
    public string? Label { get; init; }
}

/// <summary>What <c>basmalin backup init</c> made.</summary>
/// <param name="Identity">The private key; null: it stays where it is.</param>
public sealed record NewBackupKeyResponse(string Recipient, string Fingerprint, string? Identity);
