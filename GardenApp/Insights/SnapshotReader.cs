using GardenApp.Gardens;
using GardenApp.Paging;
using GardenApp.Plants;
using GardenApp.Sensors;

namespace GardenApp.Insights;

/// <summary>Collects what there is to know about a garden now.</summary>
internal sealed class SnapshotReader
{
    private readonly GardenStore _gardens;
    private readonly PlantStore _plants;
    private readonly SensorStore _sensors;
    private readonly TimeProvider _time;

    public SnapshotReader(GardenStore gardens, PlantStore plants, SensorStore sensors, TimeProvider time)
    {
        _gardens = gardens;
        _plants = plants;
        _sensors = sensors;
        _time = time;
    }

    internal async Task<GardenSnapshot?> ReadAsync(Guid gardenId, CancellationToken cancellationToken)
    {
        if (await _gardens.FindAsync(gardenId, cancellationToken) is not { } garden) return null;
        var plants = await _plants.ListAsync(gardenId, new PageRequest(0, PageRequest.LargestLimit), cancellationToken);
        return new GardenSnapshot(garden, plants.Items, await _sensors.LatestInGardenAsync(gardenId, cancellationToken), _time.GetUtcNow());
    }
}
