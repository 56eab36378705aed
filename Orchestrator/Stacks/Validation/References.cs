using System.Collections.Immutable;
using Orchestrator.Stacks.Parsing;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Stacks.Validation;

/// <summary>Networks, volumes, secrets and configurations: what services name must be declared; what nobody names is not created.</summary>
internal sealed class References(ImmutableArray<ServiceDraft> active, ImmutableArray<ServiceDraft> all, Reading reading)
{
    public ImmutableArray<NetworkSpec> Networks(ComposeDraft draft)
    {
        var declared = draft.Networks;
        if (declared.All(network => network.Key != "default"))
            declared = declared.Add(new NetworkSpec { Key = "default", Name = $"{draft.Name}_default" });

        var used = Used("networks", "network", declared.Select(network => network.Key), service => service.Networks.Select(network => (network.Value.Key, network.Path)));
        Unused("networks", draft.Networks.Select(network => network.Key), used);
        return [.. declared.Where(network => used.Contains(network.Key))];
    }

    public ImmutableArray<VolumeSpec> Volumes(ComposeDraft draft)
    {
        var keys = draft.Volumes.Select(volume => volume.Key);
        var used = Used("volumes", "volume", keys, service => service.Mounts
            .Where(mount => mount.Value is { Kind: MountKind.Volume, Source: not null })
            .Select(mount => (mount.Value.Source ?? "", mount.Path)));
        Unused("volumes", keys, used);
        return [.. draft.Volumes.Where(volume => used.Contains(volume.Key))];
    }

    public ImmutableArray<FileObjectSpec> Secrets(ComposeDraft draft) => FileObjects("secrets", "secret", draft.Secrets, service => service.Secrets);

    public ImmutableArray<FileObjectSpec> Configs(ComposeDraft draft) => FileObjects("configs", "config", draft.Configs, service => service.Configs);

    private ImmutableArray<FileObjectSpec> FileObjects(
        string section, string what, ImmutableArray<FileObjectSpec> declared, Func<ServiceDraft, ImmutableArray<Sited<FileGrant>>> grants)
    {
        var keys = declared.Select(one => one.Key);
        var used = Used(section, what, keys, service => grants(service).Select(grant => (grant.Value.Key, grant.Path)));
        Unused(section, keys, used);
        var needed = declared.Where(one => used.Contains(one.Key)).ToImmutableArray();
        foreach (var one in needed)
        {
            if (one.File is { } file && !File.Exists(file))
                reading.Error($"{section}.{one.Key}.file", $"the file {file} does not exist", "a relative path starts at the directory of the Compose file");
            if (one.EnvironmentVariable is { } variable && reading.Variable(variable) is null)
                reading.Error($"{section}.{one.Key}.environment", $"the variable {variable} is not set", $"set {variable} in the environment or in .env");
        }

        return needed;
    }

    private HashSet<string> Used(
        string section, string what, IEnumerable<string> declared, Func<ServiceDraft, IEnumerable<(string Key, string Path)>> uses)
    {
        var known = declared.ToHashSet(StringComparer.Ordinal);
        foreach (var (key, path) in all.SelectMany(uses))
        {
            if (known.Contains(key)) continue;

            var hint = key.Contains('/', StringComparison.Ordinal) ? $"a path starts with './' or '/': ./{key}"
                : Nearest.To(key, known) is { } near ? $"did you mean '{near}'?"
                : $"declare it at the top level: {section}: {{ {key}: }}";
            reading.Error(path, $"there is no {what} '{key}'", hint);
        }

        return active.SelectMany(uses).Select(use => use.Key).ToHashSet(StringComparer.Ordinal);
    }

    private void Unused(string section, IEnumerable<string> declared, HashSet<string> used)
    {
        foreach (var key in declared.Where(key => !used.Contains(key)))
        {
            reading.Note($"{section}.{key}", "no service uses it: it is not created");
        }
    }
}
