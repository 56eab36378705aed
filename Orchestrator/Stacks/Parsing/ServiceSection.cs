namespace Orchestrator.Stacks.Parsing;

/// <summary>One entry of <c>services</c>.</summary>
internal static class ServiceSection
{
    public static ServiceDraft? Read(string name, Field field)
    {
        if (!Names.IsService(name))
            field.Reading.Error(field.Path, "this is not a name for a service", "letters, digits, '_', '.' and '-', starting with a letter or digit, at most 63 of them");
        if (field.IsNull)
        {
            field.Reading.Error(field.Path, "the service is empty", "it needs an image or a build");
            return null;
        }

        if (field.Section("a service") is not { } section) return null;

        var image = section.Take("image") is { } reference ? Names.Image(reference) : null;
        var build = section.Take("build") is { } source ? BuildSection.Read(source) : null;
        if (section.TakeEvenIfNull("image") is not { IsNull: false } && section.TakeEvenIfNull("build") is not { IsNull: false })
            field.Reading.Error(field.Path, "the service has neither an image nor a build", "image: registry.example/app:1.4.0, or build: .");

        var mounts = new MountsSection();
        if (section.Take("volumes") is { } volumes) mounts.Volumes(volumes);
        if (section.Take("tmpfs") is { } tmpfs) mounts.TmpfsKey(tmpfs);

        var deploy = DeploySection.Read(section);
        var secrets = GrantsSection.Read(section.Take("secrets"), "secret", "/run/secrets");
        var configs = GrantsSection.Read(section.Take("configs"), "config", "");
        var draft = new ServiceDraft
        {
            Name = name,
            Path = field.Path,
            Image = image,
            Build = build,
            Pull = section.Take("pull_policy") is { } policy ? Pull(policy, build is not null) : PullPolicy.Missing,
            Platform = section.Take("platform")?.NonEmpty("a platform, e.g. linux/amd64"),
            Replicas = deploy.Replicas,
            Mounts = mounts.Mounts,
            Secrets = secrets,
            Configs = configs,
            Container = ContainerSection.Read(section) with
            {
                Mounts = [.. mounts.Mounts.Select(mount => mount.Value)],
                Tmpfs = mounts.Tmpfs,
                Secrets = [.. secrets.Select(grant => grant.Value)],
                Configs = [.. configs.Select(grant => grant.Value)],
                Restart = deploy.Restart,
                Resources = deploy.Resources,
            },
            Ports = section.Take("ports") is { } ports ? PortsSection.Published(ports) : [],
            Expose = section.Take("expose") is { } expose ? PortsSection.Exposed(expose) : [],
            Networks = AttachmentsSection.Read(section.Take("networks"), field.Path),
            DependsOn = DependenciesSection.Read(section.Take("depends_on")),
            Profiles = section.Take("profiles")?.Strings("a list of profiles") ?? [],
            BasMalin = section.TakeEvenIfNull("x-basmalin") is { IsBroken: false } extension ? BasMalinSection.Read(extension) : null,
        };
        section.Finish(UnsupportedKeys.Service);
        return draft;
    }

    private static PullPolicy Pull(Field field, bool built)
    {
        var word = field.OneOf("a pull policy", "always", "never", "missing", "if_not_present", "build");
        if (word == "build" && !built) field.Error("pull_policy: build needs a 'build'");
        return word switch
        {
            "always" => PullPolicy.Always,
            "never" => PullPolicy.Never,
            "build" => PullPolicy.Build,
            _ => PullPolicy.Missing,
        };
    }
}
