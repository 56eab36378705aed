using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Stacks;

/// <summary>A stack as it stands in a release manifest. Reading back gives the same stack; a member that is not known is an error, never dropped.</summary>
public static class StackJson
{
    internal static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    public static string Write(Stack stack) => JsonSerializer.Serialize(stack, Options);

    /// <exception cref="JsonException">The text is not what <see cref="Write"/> wrote: damaged, or of a newer version.</exception>
    public static Stack Read(string json) =>
        JsonSerializer.Deserialize<Stack>(json, Options) ?? throw new JsonException("a stack was expected, found null");
}
