using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.smoke</c>: <c>[{ get: /x, expect: 200, within: 500ms, contains: "…" }]</c>.</summary>
internal static class SmokeSection
{
    public static readonly TimeSpan DefaultWithin = TimeSpan.FromSeconds(5);

    private static readonly string[] Methods = ["get", "post", "head"];

    public static ImmutableArray<SmokeRequest> Read(Field field)
    {
        var requests = ImmutableArray.CreateBuilder<SmokeRequest>();
        foreach (var item in field.IsMap ? [field] : field.Items("a list of requests"))
        {
            if (item.Section("a request, e.g. { get: /, expect: 200 }") is { } section && Request(section) is { } request) requests.Add(request);
        }

        return requests.ToImmutable();
    }

    private static SmokeRequest? Request(Section section)
    {
        const string expected = "a path that starts with '/'";
        var found = new List<(string Method, string? Path)>();
        foreach (var method in Methods)
        {
            if (section.Take(method) is not { } target) continue;

            var path = target.NonEmpty(expected);
            if (path is not null && !GateSection.IsRequestPath(path))
            {
                target.Expected(expected, "only the path: the request goes through the proxy to the candidate");
                path = null;
            }

            found.Add((method, path));
        }

        var statuses = section.Take("expect") is { } expect ? GateSection.Statuses(expect) : [new StatusRange(200, 299)];
        var within = section.Take("within")?.Duration(TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10)) ?? DefaultWithin;
        var contains = section.Take("contains")?.NonEmpty("a text that the body must contain");
        section.Finish(strict: true);
        if (found.Count != 1) section.Error("expected exactly one of get, post, head", "e.g. { get: /, expect: 200 }");
        else if (found[0].Method == "head" && contains is not null) section.Error("the answer to HEAD has no body to contain anything", "use get");
        return found is [(var verb, { } path1)] ? new SmokeRequest(verb.ToUpperInvariant(), path1, statuses, within, contains) : null;
    }
}
