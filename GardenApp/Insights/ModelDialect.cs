using System.Text.Json.Nodes;

namespace GardenApp.Insights;

/// <summary>How a question is put to a model, and where in its answer the text is: all that sets the two kinds of service apart.</summary>
internal abstract record ModelDialect(string Name, string Path)
{
    internal static ModelDialect? For(string provider) => provider switch
    {
        "openai" => new OpenAi(),
        "anthropic" => new Anthropic(),
        _ => null,
    };

    internal abstract HttpRequestMessage Ask(Uri address, string model, string? apiKey, string question);

    /// <summary>Null when the answer has no text where it belongs.</summary>
    internal abstract string? TextOf(JsonNode answer);

    private HttpRequestMessage Request(Uri address, JsonObject body) => new(HttpMethod.Post, new Uri($"{address.ToString().TrimEnd('/')}{Path}"))
    {
        Content = new StringContent(body.ToJsonString(), new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")),
    };

    private static JsonArray UserMessage(string question) => [new JsonObject { ["role"] = "user", ["content"] = question }];

    internal sealed record OpenAi() : ModelDialect("openai", "/v1/chat/completions")
    {
        internal override HttpRequestMessage Ask(Uri address, string model, string? apiKey, string question)
        {
            var request = Request(address, new JsonObject { ["model"] = model, ["messages"] = UserMessage(question), ["max_tokens"] = 300 });
            request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", apiKey);
            return request;
        }

        internal override string? TextOf(JsonNode answer) => answer["choices"]?[0]?["message"]?["content"]?.GetValue<string>();
    }

    internal sealed record Anthropic() : ModelDialect("anthropic", "/v1/messages")
    {
        internal override HttpRequestMessage Ask(Uri address, string model, string? apiKey, string question)
        {
            var request = Request(address, new JsonObject { ["model"] = model, ["max_tokens"] = 300, ["messages"] = UserMessage(question) });
            request.Headers.Add("x-api-key", apiKey);
            request.Headers.Add("anthropic-version", "2023-06-01");
            return request;
        }

        internal override string? TextOf(JsonNode answer) => answer["content"]?[0]?["text"]?.GetValue<string>();
    }
}
