using System.Collections.Immutable;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.gate</c>: exactly one kind of probe, and how often it must succeed.</summary>
internal static class GateSection
{
    private static readonly TimeSpan ShortestProbe = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static GateSpec? Read(Field field)
    {
        if (field.Section("http, tcp, exec, docker or running, and its limits") is not { } section) return null;

        var probe = Probe(section);
        var defaults = new GateSpec { Kind = GateKind.Running };
        var spec = (probe ?? defaults) with
        {
            Interval = section.Take("interval")?.Duration(ShortestProbe, Hour) ?? defaults.Interval,
            Timeout = section.Take("timeout")?.Duration(ShortestProbe, Hour) ?? defaults.Timeout,
            Successes = (int?)section.Take("successes")?.Whole(1, 100) ?? defaults.Successes,
            StartPeriod = section.Take("start_period")?.Duration(atMost: Hour) ?? defaults.StartPeriod,
            Stable = section.Take("stable")?.Duration(atMost: Hour) ?? defaults.Stable,
            Deadline = section.Take("deadline")?.Duration(ShortestProbe, TimeSpan.FromDays(1)) ?? defaults.Deadline,
        };
        section.Finish(strict: true);
        if (probe is null) return null;

        // The first probe is at once, so N successes take N - 1 intervals.
        var least = spec.Interval * (spec.Successes - 1) + spec.Stable;
        if (least >= spec.Deadline)
            section.Error(
                $"no container can pass: {spec.Successes} successes every {Durations.Write(spec.Interval)} and {Durations.Write(spec.Stable)} "
                + $"of stability take {Durations.Write(least)}, the deadline is {Durations.Write(spec.Deadline)}",
                "raise deadline, or lower successes, interval or stable");
        return spec;
    }

    private static GateSpec? Probe(Section section)
    {
        var found = new List<(string Key, GateSpec? Spec)>();
        if (section.Take("http") is { } http) found.Add(("http", Http(http)));
        if (section.Take("tcp") is { } tcp) found.Add(("tcp", Tcp(tcp)));
        if (section.Take("exec") is { } exec) found.Add(("exec", Exec(exec)));
        if (section.Take("docker") is { } docker) found.Add(("docker", Switch(docker, GateKind.Docker)));
        if (section.Take("running") is { } running) found.Add(("running", Switch(running, GateKind.Running)));

        var expect = section.Take("expect");
        var host = section.Take("host");
        var port = section.Take("port");
        var json = section.Take("json");
        if (found.Count != 1)
        {
            section.Error(
                found.Count == 0
                    ? "expected one of http, tcp, exec, docker, running"
                    : $"expected exactly one kind of probe, found {string.Join(", ", found.Select(kind => kind.Key))}",
                "e.g. { http: /health, expect: 200 }");
            return null;
        }

        if (found[0].Key == "http") return HttpOptions(found[0].Spec, expect, host, port, json);

        foreach (var option in new[] { expect, host, port, json })
        {
            option?.Error($"this goes with http only, not with {found[0].Key}");
        }

        return found[0].Spec;
    }

    private static GateSpec? Http(Field field)
    {
        const string expected = "a path that starts with '/', e.g. /health";
        if (field.NonEmpty(expected) is not { } path) return null;
        if (IsRequestPath(path)) return new GateSpec { Kind = GateKind.Http, Http = path };

        field.Expected(expected, path.Contains("://", StringComparison.Ordinal) ? "only the path: each replica is asked itself; 'host' sets the Host header" : null);
        return null;
    }

    /// <summary>A path and perhaps a query, fit for a request line.</summary>
    public static bool IsRequestPath(string path) => path.StartsWith('/') && path.All(letter => letter is > ' ' and < (char)127 and not '#');

    private static GateSpec? HttpOptions(GateSpec? spec, Field? expect, Field? host, Field? port, Field? json)
    {
        var statuses = expect is { } codes ? Statuses(codes) : [new StatusRange(200, 299)];
        var header = host?.NonEmpty("a host name");
        var number = (int?)port?.Whole(1, 65535) ?? 0;
        string? path = null;
        string? equals = null;
        if (json is { } value && value.Section("field and equals") is { } section)
        {
            path = section.Take("field")?.NonEmpty("a field of the answer, dotted");
            equals = section.Take("equals")?.Text("a text, a number or true/false");
            section.Finish(strict: true);
            if (!section.Has("field") || !section.Has("equals")) section.Error("expected both 'field' and 'equals'", "json: { field: status, equals: healthy }");
        }

        if (header is not null && header.Any(letter => letter is <= ' ' or >= (char)127 or '/')) host?.Expected("a host name, with or without a port");
        return spec is null ? null : spec with { Expect = statuses, Host = header, Port = number, JsonField = path, JsonValue = equals };
    }

    private static GateSpec? Tcp(Field field) => field.Whole(1, 65535) is { } port ? new GateSpec { Kind = GateKind.Tcp, Port = (int)port } : null;

    private static GateSpec? Exec(Field field)
    {
        if (field.Command() is not { } command) return null;
        if (command.Length > 0) return new GateSpec { Kind = GateKind.Exec, Exec = command };

        field.Error("the command is empty");
        return null;
    }

    private static GateSpec? Switch(Field field, GateKind kind)
    {
        if (field.Flag() is not { } on) return null;
        if (on) return new GateSpec { Kind = kind };

        field.Error("expected true; leave the key out to choose another kind of probe");
        return null;
    }

    /// <summary><c>200</c>, <c>200-299</c>, or a list of both.</summary>
    public static ImmutableArray<StatusRange> Statuses(Field field)
    {
        const string expected = "a status, a range or a list of them: 200, 200-299, [200, 204]";
        var ranges = ImmutableArray.CreateBuilder<StatusRange>();
        foreach (var item in field.IsList ? field.Items(expected) : [field])
        {
            if (item.NonEmpty(expected) is not { } text) continue;

            var ends = text.Split('-');
            if (ends.Length <= 2 && Status(ends[0]) is { } from && Status(ends[^1]) is { } to && from <= to) ranges.Add(new StatusRange(from, to));
            else item.Expected(expected, "statuses run from 100 to 599");
        }

        if (field.IsList && ranges.Count == 0 && field.Items(expected).Count == 0) field.Expected(expected);
        return ranges.ToImmutable();
    }

    private static int? Status(string text) =>
        int.TryParse(text.Trim(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var status)
        && status is >= 100 and <= 599 ? status : null;
}
