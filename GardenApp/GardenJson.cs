using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using GardenApp.Gardens;
using GardenApp.Health;
using GardenApp.Insights;
using GardenApp.Paging;
using GardenApp.Plants;
using GardenApp.Playground;
using GardenApp.Sensors;
using GardenApp.Sessions;
using GardenApp.Transfer;
using GardenApp.Uploads;
using Microsoft.AspNetCore.Mvc;

namespace GardenApp;

/// <summary>Everything that is JSON: generated, so that the first request costs no reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(HttpValidationProblemDetails))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(EchoAnswer))]
[JsonSerializable(typeof(SlowAnswer))]
[JsonSerializable(typeof(GardenRequest))]
[JsonSerializable(typeof(Garden))]
[JsonSerializable(typeof(Page<Garden>))]
[JsonSerializable(typeof(PlantRequest))]
[JsonSerializable(typeof(Plant))]
[JsonSerializable(typeof(Page<Plant>))]
[JsonSerializable(typeof(SensorReading))]
[JsonSerializable(typeof(SensorReading[]))]
[JsonSerializable(typeof(ImmutableArray<SensorReading>))]
[JsonSerializable(typeof(ImmutableArray<SeriesPoint>))]
[JsonSerializable(typeof(IngestAnswer))]
[JsonSerializable(typeof(Insight))]
[JsonSerializable(typeof(ImmutableArray<Insight>))]
[JsonSerializable(typeof(Page<Insight>))]
[JsonSerializable(typeof(SessionRequest))]
[JsonSerializable(typeof(Session))]
[JsonSerializable(typeof(Upload))]
[JsonSerializable(typeof(Page<Upload>))]
[JsonSerializable(typeof(Manifest))]
internal sealed partial class GardenJson : JsonSerializerContext
{
    /// <summary>For answers that are not written by the framework, which writes nulls and leaves umlauts alone: so do these.</summary>
    internal static readonly GardenJson Wire = new(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
