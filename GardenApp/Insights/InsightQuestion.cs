using System.Globalization;
using System.Text;

namespace GardenApp.Insights;

/// <summary>Puts a garden into words for a model.</summary>
internal static class InsightQuestion
{
    private const int MostPlants = 50;

    internal static string About(GardenSnapshot snapshot)
    {
        var text = new StringBuilder("You advise a gardener. In at most three sentences, say what this garden needs next.\n");
        text.Append(CultureInfo.InvariantCulture, $"Garden: {snapshot.Garden.Name}, {snapshot.Garden.Location ?? "place unknown"}, {snapshot.Garden.AreaSquareMetres ?? 0:0.##} m2.\n");
        foreach (var plant in snapshot.Plants.Take(MostPlants))
            text.Append(CultureInfo.InvariantCulture, $"Plant: {plant.Species}, planted {plant.PlantedOn?.ToString("O", CultureInfo.InvariantCulture) ?? "unknown"}.\n");
        foreach (var reading in snapshot.Latest)
            text.Append(CultureInfo.InvariantCulture, $"Sensor {reading.DeviceId}: {reading.SensorType} {reading.Value} {reading.Unit} at {reading.RecordedAt:O}.\n");
        return text.ToString();
    }
}
