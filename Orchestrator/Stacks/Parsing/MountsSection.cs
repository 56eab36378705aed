using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>volumes</c> and <c>tmpfs</c> of a service.</summary>
internal sealed class MountsSection
{
    private const string Short = "[SOURCE:]TARGET[:MODE], e.g. \"data:/var/lib/app\", \"./conf:/etc/app:ro\"";

    private static readonly string[] Propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

    private readonly List<Sited<MountSpec>> _mounts = [];
    private readonly SortedDictionary<string, string> _tmpfs = new(StringComparer.Ordinal);

    /// <summary>Target → the key that mounts it.</summary>
    private readonly Dictionary<string, string> _targets = new(StringComparer.Ordinal);

    public ImmutableArray<Sited<MountSpec>> Mounts => [.. _mounts];

    public ImmutableSortedDictionary<string, string> Tmpfs => _tmpfs.ToImmutableSortedDictionary(StringComparer.Ordinal);

    public void Volumes(Field field)
    {
        foreach (var item in field.Items("a list of mounts"))
        {
            if (item.IsMap) Long(item);
            else FromText(item);
        }
    }

    public void TmpfsKey(Field field)
    {
        var items = field.IsScalar ? [field] : field.Items("a path or a list of paths");
        foreach (var item in items)
        {
            if (item.NonEmpty("PATH[:OPTIONS]") is not { } text) continue;

            var colon = text.IndexOf(':', StringComparison.Ordinal);
            AddTmpfs(item, colon < 0 ? text : text[..colon], colon < 0 ? "" : text[(colon + 1)..]);
        }
    }

    private void FromText(Field field)
    {
        if (field.NonEmpty(Short) is not { } text) return;

        var parts = text.Split(':');
        if (parts.Length > 3 || parts.Any(part => part.Length == 0))
        {
            field.Expected(Short);
            return;
        }

        if (parts.Length == 1)
        {
            Add(field, new MountSpec(MountKind.Volume, null, parts[0], ReadOnly: false, CreateHostPath: false));
            return;
        }

        var path = parts[0][0] is '.' or '/' or '~';
        string? source = parts[0];
        if (path && !field.Reading.TryPath(field, parts[0], out source)) return;

        var mount = new MountSpec(path ? MountKind.Bind : MountKind.Volume, source, parts[1], ReadOnly: false, CreateHostPath: path);
        foreach (var mode in parts.Length == 3 ? parts[2].Split(',') : [])
        {
            if (Moded(field, mount, mode) is not { } changed) return;

            mount = changed;
        }

        Add(field, mount);
    }

    private static MountSpec? Moded(Field field, MountSpec mount, string mode)
    {
        switch (mode)
        {
            case "rw":
                return mount;
            case "ro":
                return mount with { ReadOnly = true };
            case "nocopy" when mount.Kind == MountKind.Volume:
                return mount with { NoCopy = true };
            case "cached" or "delegated" or "consistent":
                field.Note($"the mode '{mode}' has no effect on Linux");
                return mount;
            case "z" or "Z":
                field.Error($"the mode '{mode}' (SELinux labels) is not supported", "label the directory on the host with chcon");
                return null;
            case var propagation when mount.Kind == MountKind.Bind && Propagations.Contains(propagation):
                return mount with { Propagation = propagation };
            default:
                field.Error($"unknown mode '{mode}'", "known modes: ro, rw, nocopy (volumes), rprivate, rshared, rslave, … (paths)");
                return null;
        }
    }

    private void Long(Field field)
    {
        if (field.Section("a mount") is not { } section) return;

        var kind = section.Take("type")?.OneOf("a type", "volume", "bind", "tmpfs");
        if (!section.Has("type")) section.Error("'type' is missing", "volume, bind or tmpfs");

        var source = section.Take("source");
        var target = section.Take("target")?.NonEmpty("an absolute path in the container");
        if (!section.Has("target")) section.Error("'target' is missing: the path in the container");

        var readOnly = section.Take("read_only")?.Flag() ?? false;
        if (section.Take("consistency") is { } consistency) consistency.Note("consistency has no effect on Linux");

        var bind = Bind(section.Take("bind"), kind);
        var volume = Volume(section.Take("volume"), kind);
        var tmpfs = TmpfsOptions(section.Take("tmpfs"), kind);
        section.Finish(UnsupportedKeys.Mount);
        if (kind is null || target is null) return;

        switch (kind)
        {
            case "tmpfs":
                if (source is not null) source.Value.Error("a tmpfs has no source");
                if (readOnly) tmpfs = tmpfs.Length == 0 ? "ro" : $"ro,{tmpfs}";
                AddTmpfs(field, target, tmpfs);
                break;
            case "bind":
                if (source is null) section.Error("'source' is missing: the path on the host");
                else if (source.Value.NonEmpty("a path on the host") is { } path && field.Reading.TryPath(source.Value, path, out var absolute))
                    Add(field, new MountSpec(MountKind.Bind, absolute, target, readOnly, bind.Create) { Propagation = bind.Propagation });
                break;
            default:
                var key = source?.NonEmpty("the name of a volume");
                if (source is null || key is not null)
                    Add(field, new MountSpec(MountKind.Volume, key, target, readOnly, CreateHostPath: false) { NoCopy = volume });
                break;
        }
    }

    private static (bool Create, string? Propagation) Bind(Field? field, string? kind)
    {
        if (field is not { } present || present.Section("options of a bind") is not { } section) return (true, null);
        if (kind is not (null or "bind")) present.Error($"'bind' does not go with type {kind}");

        var create = section.Take("create_host_path")?.Flag() ?? true;
        var propagation = section.Take("propagation")?.OneOf("a propagation", Propagations);
        section.Finish(UnsupportedKeys.MountBind);
        return (create, propagation);
    }

    private static bool Volume(Field? field, string? kind)
    {
        if (field is not { } present || present.Section("options of a volume") is not { } section) return false;
        if (kind is not (null or "volume")) present.Error($"'volume' does not go with type {kind}");

        var noCopy = section.Take("nocopy")?.Flag() ?? false;
        section.Finish(UnsupportedKeys.MountVolume);
        return noCopy;
    }

    private static string TmpfsOptions(Field? field, string? kind)
    {
        if (field is not { } present || present.Section("options of a tmpfs") is not { } section) return "";
        if (kind is not (null or "tmpfs")) present.Error($"'tmpfs' does not go with type {kind}");

        var options = new List<string>();
        if (section.Take("size")?.Bytes() is { } size) options.Add(string.Create(CultureInfo.InvariantCulture, $"size={size}"));
        if (section.Take("mode") is { } mode && FileMode.Read(mode) is { } bits) options.Add($"mode={FileMode.Octal(bits)}");
        section.Finish();
        return string.Join(',', options);
    }

    private void Add(Field field, MountSpec mount)
    {
        if (Target(field, mount.Target) is { } target) _mounts.Add(new Sited<MountSpec>(mount with { Target = target }, field.Path));
    }

    private void AddTmpfs(Field field, string path, string options)
    {
        if (Target(field, path) is { } target) _tmpfs[target] = options;
    }

    private string? Target(Field field, string path)
    {
        if (!path.StartsWith('/'))
        {
            field.Error($"the path in the container must be absolute, found '{path}'", "start it with '/'");
            return null;
        }

        var target = path.Length > 1 ? path.TrimEnd('/') : path;
        if (target.Length == 0 || target == "/")
        {
            field.Error("the root of the container cannot be a mount");
            return null;
        }

        if (_targets.TryAdd(target, field.Path)) return target;

        field.Error($"{target} is mounted twice, first by {_targets[target]}");
        return null;
    }
}
