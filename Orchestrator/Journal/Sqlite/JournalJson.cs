using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Journal.Sqlite;

/// <summary>How records are written into the journal. What is not understood is refused, not dropped: a rollback must replay exactly.</summary>
internal static class JournalJson
{
    // Nulls are written: what is left out would otherwise look like what is missing.
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        IgnoreReadOnlyProperties = true,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false), new ImmutableArrayConverter() },
    };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    public static string? WriteOptional<T>(T? value) where T : class => value is null ? null : Write(value);

    /// <exception cref="JsonException">The text is not a <typeparamref name="T"/>.</exception>
    public static T Read<T>(string json) where T : class => JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException("null");

    public static T? ReadOptional<T>(string? json) where T : class => json is null ? null : Read<T>(json);

    /// <summary>The serializer throws at an array that was never set; it is written as the empty one that it stands for.</summary>
    private sealed class ImmutableArrayConverter : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) =>
            typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(ImmutableArray<>);

        public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter?)Activator.CreateInstance(typeof(Typed<>).MakeGenericType(typeToConvert.GetGenericArguments()));

        private sealed class Typed<T> : JsonConverter<ImmutableArray<T>>
        {
            public override ImmutableArray<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
            {
                if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("an array was expected");

                return ImmutableArray.Create(JsonSerializer.Deserialize<T[]>(ref reader, options) ?? []);
            }

            public override void Write(Utf8JsonWriter writer, ImmutableArray<T> value, JsonSerializerOptions options) =>
                JsonSerializer.Serialize(writer, value.IsDefault ? [] : ImmutableCollectionsMarshal.AsArray(value), options);
        }
    }
}
