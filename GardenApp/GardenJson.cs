using System.Text.Json.Serialization;
using GardenApp.Health;
using GardenApp.Playground;
using Microsoft.AspNetCore.Mvc;

namespace GardenApp;

/// <summary>Everything that goes over the wire as JSON: generated, so that the first request costs no reflection.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(HttpValidationProblemDetails))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(EchoAnswer))]
[JsonSerializable(typeof(SlowAnswer))]
internal sealed partial class GardenJson : JsonSerializerContext;
