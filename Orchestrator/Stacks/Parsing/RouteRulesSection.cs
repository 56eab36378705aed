using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary>What <c>x-basmalin.route</c> says of requests besides where they go.</summary>
internal static class RouteRulesSection
{
    private const int Most = 1_000_000;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    // They say how a message is framed on its connection: that is the proxy's business.
    private static readonly string[] Framing =
        ["connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

    public static RouteSpec Read(Section section, RouteSpec route) => route with
    {
        StripPrefix = section.Take("strip_prefix") is { } strip && Strip(strip, route.Path),
        Http2 = section.Take("protocol")?.OneOf("a protocol", "http", "h2c") == "h2c",
        StickyCookie = section.Take("sticky") is { } sticky ? StickyCookie(sticky) : null,
        Pages = section.Take("pages") is { } pages ? PagesSection.Read(pages) : route.Pages,
        BodyLimit = section.Take("limits") is { } limits ? BodyLimit(limits) : null,
        Timeouts = section.Take("timeouts") is { } timeouts ? Timeouts(timeouts) : null,
        Rate = section.Take("rate") is { } rate ? Rate(rate) : null,
        Headers = section.Take("headers") is { } headers ? Headers(headers) : null,
        Static = section.Take("static") is { } folders ? StaticSection.Read(folders, route.Path) : [],
        Compress = section.Take("compress") is { } compress ? Compress(compress) : null,
    };

    private static bool Strip(Field field, string path)
    {
        if (field.Flag() is not true) return false;
        if (path != "/") return true;

        field.Error("there is no prefix to strip: the route's path is '/'", "set route.path, e.g. /api, or leave strip_prefix out");
        return false;
    }

    private static string? StickyCookie(Field field)
    {
        const string usual = "basmalin-replica";
        if (field.IsScalar) return field.Flag() is true ? usual : null;
        if (field.Section("true, or cookie, e.g. { cookie: garden-replica }") is not { } section) return null;

        const string expected = "a cookie's name: letters, digits, '-' and '_'";
        var name = section.Take("cookie");
        section.Finish(strict: true);
        if (name is null || name.Value.NonEmpty(expected) is not { } text) return usual;
        if (text.Length <= 64 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')) return text;

        name.Value.Expected(expected, "at most 64 of them");
        return null;
    }

    private static long? BodyLimit(Field field)
    {
        if (field.Section("body, e.g. { body: 10m }") is not { } section) return null;

        var body = section.Take("body")?.Bytes();
        section.Finish(strict: true);
        return body;
    }

    private static RouteTimeoutsSpec? Timeouts(Field field)
    {
        if (field.Section("connect, headers and idle") is not { } section) return null;

        var connect = section.Take("connect")?.Duration(Shortest, TimeSpan.FromMinutes(1));
        var headers = section.Take("headers")?.Duration(Shortest, Day);
        var idle = section.Take("idle")?.Duration(TimeSpan.FromSeconds(1), Day);
        section.Finish(strict: true);
        return new RouteTimeoutsSpec(connect, headers, idle);
    }

    private static RouteRateSpec? Rate(Field field)
    {
        if (field.Section("requests, per, burst and by") is not { } section) return null;

        var requests = (int?)section.Take("requests")?.Whole(1, Most);
        if (!section.Has("requests")) section.Error("'requests' is missing", "e.g. { requests: 100, per: 1s, burst: 50 }");
        var per = section.Take("per")?.Duration(Shortest, Day) ?? TimeSpan.FromSeconds(1);
        var burst = (int?)section.Take("burst")?.Whole(1, Most);
        var by = section.Take("by")?.OneOf("who is counted", "client", "route");
        section.Finish(strict: true);
        return requests is { } count ? new RouteRateSpec(count, per, burst ?? count, by != "route") : null;
    }

    private static RouteHeadersSpec? Headers(Field field)
    {
        if (field.Section("secure, set and remove") is not { } section) return null;

        var secure = section.Take("secure")?.Flag() ?? false;
        var set = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value, place) in section.Take("set")?.Pairs("a mapping or a list of NAME=value") ?? [])
        {
            if (value is null) place.Error($"the header '{name}' has no value", "to keep one from clients, name it under remove");
            else if (value.Any(letter => letter is < ' ' or >= (char)127)) place.Error("a header's value is one line of ASCII");
            else if (IsHeader(name, place) && !set.TryAdd(name, value)) place.Error($"the header '{name}' is set twice");
        }

        var remove = ImmutableArray.CreateBuilder<string>();
        foreach (var item in section.Take("remove")?.Items("a list of header names") ?? [])
        {
            if (item.NonEmpty("a header's name") is { } name && IsHeader(name, item)) remove.Add(name);
        }

        section.Finish(strict: true);
        return new RouteHeadersSpec { Secure = secure, Set = set.ToImmutable(), Remove = remove.ToImmutable() };
    }

    private static ImmutableArray<string>? Compress(Field field)
    {
        const string expected = "true, false, or a list of media types, e.g. [text/*, application/json]";
        if (field.IsScalar) return field.Flag() is true ? [] : null;

        var types = ImmutableArray.CreateBuilder<string>();
        foreach (var item in field.Items(expected))
        {
            const string type = "a media type, e.g. application/json or text/*";
            if (item.NonEmpty(type) is not { } text) continue;
            if (text.Split('/') is not [{ Length: > 0 } kind, { Length: > 0 } name] || kind == "*" || text.Any(letter => letter is <= ' ' or >= (char)127 or ';')) item.Expected(type);
            else if (text == "text/event-stream") item.Error("event streams are never compressed: events would wait for each other");
            else types.Add(text);
        }

        if (field.IsList && types.Count == 0 && field.Items(expected).Count == 0) field.Expected(expected);
        return types.Count == 0 ? null : types.ToImmutable();
    }

    private static bool IsHeader(string name, Field place)
    {
        if (name.Length == 0 || name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && !"!#$%&'*+-.^_`|~".Contains(letter, StringComparison.Ordinal)))
        {
            place.Error($"'{Section.Shown(name)}' is not a header's name", "letters, digits and '-'");
            return false;
        }

        if (!Framing.Contains(name, StringComparer.OrdinalIgnoreCase)) return true;

        place.Error($"the header '{name}' belongs to the connection; the proxy sets it itself");
        return false;
    }
}
