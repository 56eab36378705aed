using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Api;

/// <summary>How requests are read: a field that is not known is an error, not a wish unheard.</summary>
internal static class ApiRequests
{
    public static ApiJson Json { get; } = new(Strict(new JsonSerializerOptions(JsonSerializerDefaults.Web)));

    public static JsonSerializerOptions Strict(JsonSerializerOptions options)
    {
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.NumberHandling = JsonNumberHandling.Strict;
        return options;
    }
}
