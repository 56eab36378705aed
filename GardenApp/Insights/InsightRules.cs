using System.Collections.Immutable;
using System.Globalization;
using GardenApp.Sensors;

namespace GardenApp.Insights;

/// <summary>Advice that needs no model and no network: a pure function of what the sensors said last.</summary>
internal static class InsightRules
{
    private static readonly TimeSpan Stale = TimeSpan.FromHours(24);

    internal static ImmutableArray<Finding> Evaluate(GardenSnapshot snapshot)
    {
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var reading in snapshot.Latest)
        {
            if (reading is not { SensorType: { } type, Value: { } value, RecordedAt: { } at }) continue;
            if (snapshot.Now - at > Stale) findings.Add(new Finding("care", "info", $"{reading.DeviceId} has not reported {type} for {(snapshot.Now - at).TotalHours:0} hours."));
            else if (Rule(type, value, reading) is { } finding) findings.Add(finding);
        }

        if (snapshot.Latest.IsEmpty && snapshot.Plants.Where(plant => plant.WaterEveryDays is not null).MinBy(plant => plant.WaterEveryDays) is { WaterEveryDays: { } days } thirsty)
            findings.Add(new Finding("watering", "info", $"No sensors here: {thirsty.Nickname ?? thirsty.Species} wants water every {days} days."));
        if (snapshot.Plants.IsEmpty) findings.Add(new Finding("care", "info", "Nothing grows here yet."));
        if (findings.Count == 0) findings.Add(new Finding("care", "info", "All is well."));
        return findings.ToImmutable();
    }

    private static Finding? Rule(string type, double value, SensorReading reading) => (type, value) switch
    {
        ("soil_moisture", < 15) => new("watering", "critical", Say($"The soil at {reading.DeviceId} is dry ({value:0.#} %): water now.")),
        ("soil_moisture", < 30) => new("watering", "warning", Say($"The soil at {reading.DeviceId} is getting dry ({value:0.#} %): water today.")),
        ("soil_moisture", > 85) => new("watering", "warning", Say($"The soil at {reading.DeviceId} is soaked ({value:0.#} %): roots may rot.")),
        ("temperature", < 0) => new("frost", "critical", Say($"Frost at {reading.DeviceId} ({value:0.#} °C): cover what is tender.")),
        ("temperature", < 4) => new("frost", "warning", Say($"Near frost at {reading.DeviceId} ({value:0.#} °C).")),
        ("temperature", > 35) => new("heat", "warning", Say($"Heat at {reading.DeviceId} ({value:0.#} °C): shade and water in the evening.")),
        ("humidity", > 90) => new("mould", "warning", Say($"Very humid at {reading.DeviceId} ({value:0.#} %): air it, or mould will come.")),
        ("ph", < 5.5) => new("soil", "warning", Say($"Sour soil at {reading.DeviceId} (pH {value:0.#}): lime it.")),
        ("ph", > 7.5) => new("soil", "warning", Say($"Alkaline soil at {reading.DeviceId} (pH {value:0.#}): add compost.")),
        _ => null,
    };

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
