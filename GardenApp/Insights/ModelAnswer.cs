namespace GardenApp.Insights;

/// <summary>What came of asking a model: its text, or why there is none.</summary>
internal readonly record struct ModelAnswer(string? Text, string? Failure);
