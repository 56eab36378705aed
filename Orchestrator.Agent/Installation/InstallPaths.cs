namespace Orchestrator.Agent.Installation;

/// <summary>Where everything lies.</summary>
/// <param name="Root">A directory that stands for <c>/</c>, to prepare an image; <c>/</c>: this machine.</param>
internal sealed record InstallPaths(string Root)
{
    public const string Data = "/var/lib/basmalin";
    public const string Service = "basmalin.service";
    public const string Socket = "basmalin.socket";

    public bool Here => Root == "/";

    /// <summary>The program: one file, which an upgrade replaces by a rename.</summary>
    public string Program => At("/usr/local/bin/basmalin");

    /// <summary>The program before the last upgrade.</summary>
    public string Previous => At("/usr/local/bin/basmalin.previous");

    public string Settings => At(Hosting.AgentFile.DefaultPath);

    public string Users => At("/etc/sysusers.d/basmalin.conf");

    public string ServiceUnit => At($"/etc/systemd/system/{Service}");

    public string SocketUnit => At($"/etc/systemd/system/{Socket}");

    public string ServiceDropIn => At($"/etc/systemd/system/{Service}.d/settings.conf");

    public string SocketDropIn => At($"/etc/systemd/system/{Socket}.d/listen.conf");

    public string UpgradeLock => At("/run/basmalin-upgrade.lock");

    public string At(string path) => Here ? path : Path.Join(Root, path);
}
