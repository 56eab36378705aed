using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Orchestrator.Access;
using static Orchestrator.Agent.Webhooks.WebhookReading;

namespace Orchestrator.Agent.Webhooks;

/// <summary>Maps what happened to the images that are to be deployed.</summary>
public static partial class ImageTemplates
{
    /// <summary>What is wrong with a template; null: nothing.</summary>
    public static string? Problem(string template)
    {
        var unknown = Placeholder().Matches(template).Select(match => match.Groups[1].Value).FirstOrDefault(name => name is not ("commit" or "short" or "tag" or "branch"));
        if (unknown is not null) return $"{{{unknown}}} means nothing; known are {{commit}}, {{short}}, {{tag}} and {{branch}}";

        var filled = Placeholder().Replace(template, "x");
        return Reference().IsMatch(filled) ? null : $"'{template}' is not an image reference such as registry.example/app:{{commit}}";
    }

    /// <summary>The event with its images, or why it is ignored.</summary>
    public static WebhookReading Apply(WebhookSettings settings, Event happened)
    {
        if (settings.Branch is { } branch)
        {
            if (happened.Branch is { } pushed && pushed != branch) return new Ignored($"branch {Senders.Words.Plain(pushed)} is not {branch}");
            if (happened is { Branch: null, Repository: null, Images.IsEmpty: true, Tag: not null }) return new Ignored($"a tag was pushed; only branch {branch} deploys");
        }

        if (!happened.Images.IsEmpty) return happened;
        if (settings.Images.IsEmpty)
            return new Ignored("it is not known which image belongs to this event: basmalin webhook STACK --image SERVICE=registry.example/app:{commit}");

        return TryRender(settings, happened, out var refusal) is { } images ? happened with { Images = images } : new Ignored(refusal);
    }

    private static ImmutableSortedDictionary<string, string>? TryRender(WebhookSettings settings, Event happened, out string refusal)
    {
        refusal = $"no service's image comes from {Senders.Words.Plain(happened.Repository ?? "")}";
        var images = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (service, template) in settings.Images)
        {
            if (happened.Repository is { } repository && !LeadsTo(template, repository)) continue;
            if (Render(template, happened, out var missing) is not { } image)
            {
                refusal = $"the image of {service} needs {{{missing}}}, which this event does not have";
                return null;
            }

            images[service] = image;
        }

        return images.Count == 0 ? null : images.ToImmutable();
    }

    private static string? Render(string template, Event happened, out string? missing)
    {
        string? lacking = null;
        var text = Placeholder().Replace(template, match =>
        {
            var name = match.Groups[1].Value;
            var value = name switch
            {
                "commit" => happened.Commit,
                "short" => happened.Commit?[..7],
                "tag" => happened.Tag,
                _ => happened.Branch,
            };
            if (value is null) lacking ??= name;
            return value is null ? "" : Invalid().Replace(value, "-");
        });
        missing = lacking;
        return lacking is null ? text : null;
    }

    /// <summary>The registry may be known under another name inside: only the repository's path is compared.</summary>
    private static bool LeadsTo(string template, string repository)
    {
        var withoutTag = template.LastIndexOf(':') is var colon && colon > template.LastIndexOf('/') ? template[..colon] : template;
        return withoutTag == repository || withoutTag.EndsWith("/" + repository, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\{([a-z_]+)\}")]
    private static partial Regex Placeholder();

    /// <summary>What a tag cannot contain.</summary>
    [GeneratedRegex("[^A-Za-z0-9_.-]")]
    private static partial Regex Invalid();

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9._:-]*(/[a-zA-Z0-9_][a-zA-Z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$")]
    private static partial Regex Reference();
}
