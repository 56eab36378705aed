namespace GardenApp.HotReads;

/// <summary>A JSON body and where it came from.</summary>
/// <param name="Json">The body, UTF-8.</param>
/// <param name="Source"><c>hit</c>, <c>miss</c> (read and stored) or <c>bypass</c> (Redis is away or not configured); goes out as <c>X-Cache</c>.</param>
internal readonly record struct CachedRead(byte[]? Json, string Source);
