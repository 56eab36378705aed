using System.Collections.Immutable;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks.Parsing;

/// <summary>The top level of a Compose file.</summary>
internal static class ComposeDocument
{
    /// <summary>A service may be an alias of a few characters; a bound keeps what they unfold to within reason.</summary>
    private const int MostServices = 500;

    /// <returns>Null when nothing could be made of the file.</returns>
    public static ComposeDraft? Read(Node root, Reading reading)
    {
        if (root is not MappingNode mapping)
        {
            var empty = root is ScalarNode { IsNull: true };
            reading.Findings.Error(empty ? new Mark(1, 1) : root.Mark, "", empty ? "the file is empty" : "expected a mapping with 'services'", "a Compose file starts with 'services:'");
            return null;
        }

        var top = new Section(mapping, "", reading);
        if (top.Take("version") is { } version)
        {
            version.Text("a text");
            reading.Note("version", "Compose ignores the version of its format, and so does this", "remove it");
        }

        var name = Name(top.Take("name"), reading);
        var unreadable = ImmutableHashSet.CreateBuilder<string>();
        var services = Services(top, reading, unreadable);
        var objects = new ObjectsSection(name);
        var draft = new ComposeDraft
        {
            Name = name,
            Services = services,
            Unreadable = unreadable.ToImmutable(),
            Networks = Objects(top.Take("networks"), objects.Network),
            Volumes = Objects(top.Take("volumes"), objects.Volume),
            Secrets = Objects(top.Take("secrets"), (key, field) => objects.FileObject("secret", key, field)),
            Configs = Objects(top.Take("configs"), (key, field) => objects.FileObject("config", key, field)),
        };
        top.Finish(UnsupportedKeys.TopLevel);
        return draft;
    }

    private static ImmutableArray<ServiceDraft> Services(Section top, Reading reading, ImmutableHashSet<string>.Builder unreadable)
    {
        var field = top.TakeEvenIfNull("services");
        if (field is null)
        {
            top.Error("'services' is missing", "a Compose file has at least one service");
            return [];
        }

        if (field.Value.IsNull)
        {
            reading.Error("services", "there is no service", "a Compose file has at least one service");
            return [];
        }

        var members = field.Value.Members("a mapping of services");
        if (members.Count == 0 && field.Value.IsMap) reading.Error("services", "there is no service", "a Compose file has at least one service");
        if (members.Count > MostServices)
        {
            reading.Error("services", $"a stack has at most {MostServices} services, found {members.Count}");
            return [];
        }

        var drafts = ImmutableArray.CreateBuilder<ServiceDraft>();
        foreach (var (key, value) in members)
        {
            if (!value.IsBroken && ServiceSection.Read(key, value) is { } draft) drafts.Add(draft);
            else unreadable.Add(key);
        }

        return drafts.ToImmutable();
    }

    private static ImmutableArray<T> Objects<T>(Field? field, Func<string, Field, T> read)
    {
        if (field is not { } present) return [];

        return [.. present.Members("a mapping").Select(member => read(member.Key, member.Value))];
    }

    /// <summary>From the caller, COMPOSE_PROJECT_NAME, the file, or the directory: Compose's order.</summary>
    private static string Name(Field? field, Reading reading)
    {
        var written = field?.Text("a name");
        if (reading.Source.StackName is { } given) return Checked(given, "", "the name given to the stack", reading);
        if (reading.Variable("COMPOSE_PROJECT_NAME") is { Length: > 0 } variable) return Checked(variable, "", "COMPOSE_PROJECT_NAME", reading);
        if (written is not null) return Checked(written, "name", "the name", reading);

        var directory = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(reading.Source.Directory));
        return Checked(Names.NormaliseStack(directory), "", "the directory's name", reading);
    }

    private static string Checked(string name, string path, string origin, Reading reading)
    {
        if (Names.ProblemInStack(name) is not { } problem) return name;

        var usable = Names.NormaliseStack(name);
        var hint = Names.ProblemInStack(usable) is null ? $"'{usable}' would do" : "say 'name: garden' at the top of the file";
        reading.Error(path, $"{origin} is not a name for a stack: {problem}", hint);
        return "stack";
    }
}
