namespace GardenApp.Sessions;

/// <summary>A session, as its user sees it.</summary>
/// <param name="User">Whose it is.</param>
/// <param name="CreatedAt">When it began.</param>
/// <param name="ExpiresAt">When it ends, unless it is used before then.</param>
/// <param name="Token">The bearer token; only in the answer that creates the session.</param>
public sealed record Session(string User, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, string? Token);
