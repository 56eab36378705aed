using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>secrets</c> and <c>configs</c> of a service.</summary>
internal static class GrantsSection
{
    private const int ReadByAll = 0b100_100_100;

    /// <param name="directory">Where a name without a path goes: <c>/run/secrets</c> for secrets, the root for configurations.</param>
    public static ImmutableArray<Sited<FileGrant>> Read(Field? field, string what, string directory)
    {
        if (field is not { } present) return [];

        var grants = ImmutableArray.CreateBuilder<Sited<FileGrant>>();
        var targets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in present.Items($"a list of {what}s"))
        {
            var grant = item.IsMap ? Long(item, what, directory) : FromText(item, what, directory);
            if (grant is null) continue;
            if (targets.Add(grant.Target)) grants.Add(new(grant, item.Path));
            else item.Error($"two {what}s have the target {grant.Target}", "give one of them another target");
        }

        return grants.ToImmutable();
    }

    private static FileGrant? FromText(Field field, string what, string directory) =>
        field.NonEmpty($"the name of a {what}") is { } key ? new FileGrant(key, $"{directory}/{key}", null, null, ReadByAll) : null;

    private static FileGrant? Long(Field field, string what, string directory)
    {
        if (field.Section($"a {what}") is not { } section) return null;

        var source = section.Take("source")?.NonEmpty($"the name of a {what}");
        if (!section.Has("source")) section.Error($"'source' is missing: the name of a {what}");

        var target = section.Take("target")?.NonEmpty("a path in the container");
        var uid = section.Take("uid")?.Whole(0, uint.MaxValue)?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var gid = section.Take("gid")?.Whole(0, uint.MaxValue)?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var mode = section.Take("mode") is { } bits ? FileMode.Read(bits) : null;
        section.Finish();
        if (source is null) return null;

        var path = target ?? source;
        return new FileGrant(source, path.StartsWith('/') ? path : $"{directory}/{path}", uid, gid, mode ?? ReadByAll);
    }
}
