namespace GardenApp.Sensors;

/// <summary>A reading that was not stored.</summary>
/// <param name="Index">Its place in the batch, from 0.</param>
/// <param name="Problem">What is wrong with it.</param>
public sealed record RejectedReading(int Index, string Problem);
