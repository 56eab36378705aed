namespace GardenApp.Insights;

/// <summary>What a provider found, before it is written down as an <see cref="Insight"/>.</summary>
internal sealed record Finding(string InsightType, string Severity, string Message);
