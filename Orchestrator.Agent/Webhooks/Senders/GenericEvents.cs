using System.Collections.Immutable;
using System.Text.Json;
using static Orchestrator.Agent.Webhooks.WebhookReading;

namespace Orchestrator.Agent.Webhooks.Senders;

/// <summary>The project's own form: <c>{ images, version, commit, branch, tag }</c>, each of which may be left out.</summary>
internal static class GenericEvents
{
    private const int LongestVersion = 200;

    public static WebhookReading Read(JsonElement body)
    {
        var images = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (body.At("images") is { } named)
        {
            if (named.ValueKind != JsonValueKind.Object) return new Malformed("images must be an object of service and image");

            foreach (var image in named.EnumerateObject())
            {
                if (image.Value.ValueKind != JsonValueKind.String || image.Value.GetString() is not { Length: > 0 and <= 512 } reference)
                    return new Malformed($"images.{Words.Plain(image.Name)} must be an image reference");

                images[image.Name] = reference;
            }
        }

        if (body.Text("version") is { Length: > LongestVersion }) return new Malformed($"version has more than {LongestVersion} characters");
        if (body.Text("commit") is { } commit && Words.Commit(commit) is null) return new Malformed("commit must be 7 to 64 hexadecimal digits");

        return new Event
        {
            Images = images.ToImmutable(),
            Version = body.Text("version"),
            Commit = Words.Commit(body.Text("commit")),
            Branch = body.Text("branch"),
            Tag = body.Text("tag"),
        };
    }
}
