using System.Collections.Immutable;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Agent.Installation;

/// <summary>Lays the daemon down on a machine, and takes it away again. Everything may be said twice.</summary>
internal sealed class Installer(InstallPaths paths, bool dry)
{
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode GroupToo = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private const UnixFileMode OwnerAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode GroupEnters = OwnerAlone | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
    private const string Root = "root:root";
    private const string EngineGroup = "basmalin-engine";
    private const string Own = "basmalin:basmalin";
    private const string SocketHint = "see journalctl -u basmalin.socket: does another program have the port? change edge.http or admin.listen in agent.yml and run 'basmalin install' again";
    private const string ServiceHint = "see journalctl -u basmalin -o cat -n 50";

    private readonly InstallRun _run = new(paths, dry);

    /// <param name="program">The file that is installed.</param>
    /// <param name="start">Enabled and started as well.</param>
    /// <exception cref="InstallException">This machine, the program or its settings do not allow it.</exception>
    public async Task<InstallResponse> InstallAsync(string program, bool start, CancellationToken cancellationToken)
    {
        CheckMachine();
        ProgramFile.CheckSingle(program);
        await DoAsync(new InstallStep.WriteFile(paths.Users, UnitFiles.Users, Everybody, Root), cancellationToken);
        await DoAsync(new InstallStep.Run("systemd-sysusers", [paths.Users], "it is part of systemd; without it make a system user and group 'basmalin' by hand"), cancellationToken);
        await DoAsync(new InstallStep.MakeDirectory(Path.GetDirectoryName(paths.Settings) ?? "/", GroupEnters, "root:basmalin"), cancellationToken);
        await DoAsync(new InstallStep.WriteFile(paths.Settings, UnitFiles.Settings, GroupToo, "root:basmalin") { Keep = true }, cancellationToken);
        var options = ReadSettings();
        await DoAsync(new InstallStep.MakeDirectory(paths.At(options.Data), OwnerAlone, Own), cancellationToken);
        await DoAsync(new InstallStep.MakeDirectory(paths.At("/var/log/basmalin"), GroupEnters, Own), cancellationToken);
        await DoAsync(new InstallStep.CopyProgram(program, paths.Program), cancellationToken);
        await DoAsync(new InstallStep.WriteFile(paths.SocketUnit, UnitFiles.Socket, Everybody, Root), cancellationToken);
        await DropInAsync(paths.SocketDropIn, UnitFiles.SocketDropIn(options), cancellationToken);
        await DoAsync(new InstallStep.WriteFile(paths.ServiceUnit, UnitFiles.Service, Everybody, Root), cancellationToken);
        await DropInAsync(paths.ServiceDropIn, UnitFiles.ServiceDropIn(options, await EngineGroupAsync(options, cancellationToken)), cancellationToken);
        await DoAsync(new InstallStep.Run("systemctl", ["daemon-reload"]), cancellationToken);
        if (start) await StartAsync(cancellationToken);
        return new InstallResponse([.. _run.Done]);
    }

    /// <param name="purge">Settings, journal, keys and backups go as well.</param>
    public async Task<InstallResponse> UninstallAsync(bool purge, CancellationToken cancellationToken)
    {
        CheckMachine();
        var data = purge && File.Exists(paths.Settings) ? ReadSettings().Data : InstallPaths.Data;
        await DoAsync(new InstallStep.Run("systemctl", ["disable", "--now", InstallPaths.Service, InstallPaths.Socket]) { MayFail = true }, cancellationToken);
        foreach (var file in (string[])[paths.ServiceUnit, paths.SocketUnit, Path.GetDirectoryName(paths.ServiceDropIn) ?? "", Path.GetDirectoryName(paths.SocketDropIn) ?? "", paths.Users, paths.Program, paths.Previous])
            await DoAsync(new InstallStep.Remove(file), cancellationToken);
        await DoAsync(new InstallStep.Run("systemctl", ["daemon-reload"]), cancellationToken);
        await DoAsync(new InstallStep.Run("systemctl", ["reset-failed", InstallPaths.Service, InstallPaths.Socket]) { MayFail = true }, cancellationToken);
        await DoAsync(new InstallStep.Remove(paths.At("/run/basmalin")), cancellationToken);
        if (!purge) return new InstallResponse([.. _run.Done]);

        foreach (var directory in (string[])[data, "/var/lib/basmalin", "/var/log/basmalin", "/var/cache/basmalin", "/etc/basmalin"])
            await DoAsync(new InstallStep.Remove(paths.At(directory)), cancellationToken);
        await DoAsync(new InstallStep.Run("userdel", ["basmalin"]) { MayFail = true }, cancellationToken);
        return new InstallResponse([.. _run.Done]);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var running = !dry && paths.Here && (await SystemCommand.RunAsync("systemctl", ["is-active", "--quiet", InstallPaths.Service], SystemCommand.Patience, cancellationToken)).Ok;
        await DoAsync(new InstallStep.Run("systemctl", ["enable", InstallPaths.Socket, InstallPaths.Service]), cancellationToken);

        // A socket cannot be changed while its service uses it: this is the one change that refuses connections for a moment.
        if (running && _run.Changed(paths.SocketUnit, paths.SocketDropIn))
        {
            await DoAsync(new InstallStep.Run("systemctl", ["stop", InstallPaths.Service]), cancellationToken);
            await DoAsync(new InstallStep.Run("systemctl", ["restart", InstallPaths.Socket], SocketHint), cancellationToken);
        }

        await DoAsync(new InstallStep.Run("systemctl", ["start", InstallPaths.Socket], SocketHint), cancellationToken);
        var renewed = _run.Changed(paths.Program, paths.ServiceUnit, paths.ServiceDropIn);
        await DoAsync(new InstallStep.Run("systemctl", [running && renewed ? "restart" : "start", InstallPaths.Service], ServiceHint), cancellationToken);
    }

    private async Task DropInAsync(string path, string? content, CancellationToken cancellationToken) =>
        await DoAsync(content is null ? new InstallStep.Remove(path) : new InstallStep.WriteFile(path, content, Everybody, Root), cancellationToken);

    private Task<bool> DoAsync(InstallStep step, CancellationToken cancellationToken) => _run.DoAsync(step, cancellationToken);

    private void CheckMachine()
    {
        if (!paths.Here || dry) return;
        if (!Environment.IsPrivilegedProcess)
            throw new InstallException("only root can do that", null, "say it with sudo; --dry-run shows what would be done, --root DIR does it below a directory");
        if (!Directory.Exists("/run/systemd/system"))
            throw new InstallException("systemd does not run here", "there is no /run/systemd/system", "run 'basmalin agent' under the supervisor that you have, or prepare an image with --root DIR");
    }

    private AgentOptions ReadSettings()
    {
        if (!File.Exists(paths.Settings)) return new AgentOptions();

        var settings = AgentFile.Load(paths.Settings, ImmutableSortedDictionary<string, string>.Empty);
        return settings.Options ?? throw new InstallException($"{paths.Settings} cannot be used", string.Join('\n', settings.Problems), "correct it and say it again");
    }

    /// <returns>The group of the engine's socket, which gets a name where it has none: a unit names groups only. Null: there is no such socket.</returns>
    private async Task<string?> EngineGroupAsync(AgentOptions options, CancellationToken cancellationToken)
    {
        if (options.Docker.Endpoint is not { Scheme: "unix", AbsolutePath: var socket } || !File.Exists(socket)) return null;

        var answer = (await SystemCommand.RequireAsync("stat", ["--dereference", "--format=%G %g", socket], null, cancellationToken)).Trim().Split(' ');
        if (answer is not ["UNKNOWN", var number]) return answer[0];

        await DoAsync(new InstallStep.Run("groupadd", ["--system", "--gid", number, EngineGroup]), cancellationToken);
        return EngineGroup;
    }
}
