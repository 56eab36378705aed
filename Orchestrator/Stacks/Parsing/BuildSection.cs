using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

internal static class BuildSection
{
    public static BuildSpec? Read(Field field)
    {
        if (field.IsScalar) return field.NonEmpty("a directory") is { } directory ? Context(field, directory) : null;
        if (field.Section("a directory, or a mapping with 'context'") is not { } section) return null;

        BuildSpec? build = null;
        if (section.Take("context") is not { } context) build = Context(field, ".");
        else if (context.NonEmpty("a directory") is { } path) build = Context(context, path);

        var labels = section.Take("labels")?.Labels();
        var dockerfile = section.Take("dockerfile")?.NonEmpty("a path relative to the context");
        var target = section.Take("target")?.NonEmpty("the name of a stage");
        var network = section.Take("network")?.NonEmpty("none, host or the name of a network");
        var noCache = section.Take("no_cache")?.Flag() ?? false;
        var pull = section.Take("pull")?.Flag() ?? false;
        var args = section.Take("args") is { } some ? Args(some) : ImmutableSortedDictionary<string, string>.Empty;
        section.Finish(UnsupportedKeys.Build);
        return build is null ? null : build with
        {
            Dockerfile = dockerfile ?? build.Dockerfile,
            Target = target,
            Args = args,
            Labels = labels ?? build.Labels,
            Network = network,
            NoCache = noCache,
            PullBases = pull,
        };
    }

    private static BuildSpec? Context(Field field, string path)
    {
        if (path.Contains("://", StringComparison.Ordinal) || path.StartsWith("git@", StringComparison.Ordinal))
        {
            field.Error("a build from a remote address is not supported", "clone it and name the directory, or build in CI and name the image");
            return null;
        }

        return field.Reading.TryPath(field, path, out var absolute) ? new BuildSpec { Context = absolute } : null;
    }

    private static ImmutableSortedDictionary<string, string> Args(Field field)
    {
        var args = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value, _) in field.Pairs("build arguments: a mapping or a list of NAME=value"))
        {
            if ((value ?? field.Reading.Variable(name)) is { } known) args[name] = known;
            else args.Remove(name);
        }

        return args.ToImmutable();
    }
}
