using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>
/// The backup before the deployment, of each service that asks for one with <c>backup.before_deploy</c>: dumped by the database's own program in its
/// own container, streamed into a file that has its name only once it is whole. A deployment that cannot be protected does not go on.
/// </summary>
public sealed class Protect(StackContainers containers, ProtectOptions options) : IDeploymentStep
{
    public StepKind Kind => StepKind.Protect;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Current is not { } current || work.Plan.WarmSwap) return null;    // nothing has run yet, or nothing of the data changes

        var done = new List<string>();
        foreach (var spec in current.Stack.Services.Where(spec => spec.BasMalin?.Backup is { BeforeDeploy: true }))
        {
            var running = (await containers.OfAsync(work.StackName, spec.Name, null, cancellationToken)).FirstOrDefault(seen => seen.State == ContainerState.Running);
            if (running is null)
                return Failed(spec, "does not run, so it cannot be backed up", work);

            work.Report($"{spec.Name}: backing up");
            var (size, problem) = await DumpAsync(work, spec, running.Id, cancellationToken);
            if (problem is not null) return Failed(spec, problem, work);
            done.Add(string.Create(CultureInfo.InvariantCulture, $"{spec.Name} {size / 1048576.0:0.0} MiB"));
        }

        if (done.Count > 0) work.Detail = string.Join(", ", done);
        return null;
    }

    /// <summary>A backup that was made is kept.</summary>
    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<(long Size, string? Problem)> DumpAsync(DeploymentWork work, ServiceSpec spec, ContainerId id, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateDirectory(Path.Combine(options.Directory, work.StackName, spec.Name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var whole = Path.Combine(directory.FullName, $"before-deployment-{work.Deployment.Id}.{Extension(spec)}");
        if (File.Exists(whole)) return (new FileInfo(whole).Length, null);          // entered twice

        var part = whole + ".part";
        var settings = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        await using (var file = new FileStream(part, settings))
        {
            var result = await containers.Engine.ExecAsync(id, CommandFor(spec), file, cancellationToken);
            file.Flush(flushToDisk: true);
            if (result.ExitCode != 0) return (0, $"ended with exit code {result.ExitCode}: {result.Output}");
            if (file.Length == 0) return (0, "gave nothing");
        }

        await WriteHashAsync(part, whole, cancellationToken);
        File.Move(part, whole, overwrite: true);
        return (new FileInfo(whole).Length, null);
    }

    /// <summary>Beside the backup, in the form that sha256sum checks.</summary>
    private static async Task WriteHashAsync(string part, string whole, CancellationToken cancellationToken)
    {
        await using var content = File.OpenRead(part);
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
        await File.WriteAllTextAsync(whole + ".sha256", $"{hash}  {Path.GetFileName(whole)}\n", cancellationToken);
    }

    private static ImmutableArray<string> CommandFor(ServiceSpec spec) => spec.BasMalin?.Backup?.Kind switch
    {
        "postgres" => ["sh", "-c", "PGPASSWORD=\"${POSTGRES_PASSWORD:-$(cat \"${POSTGRES_PASSWORD_FILE:-/dev/null}\")}\" exec pg_dump -h 127.0.0.1 -U \"${POSTGRES_USER:-postgres}\" -Fc \"${POSTGRES_DB:-${POSTGRES_USER:-postgres}}\""],
        "redis" => ["sh", "-c", "f=$(mktemp) && redis-cli --rdb \"$f\" >/dev/null && cat \"$f\"; s=$?; rm -f \"$f\"; exit $s"],
        _ => ["tar", "-C", "/", "-cf", "-", .. spec.Container.Mounts.Where(mount => mount.Kind == MountKind.Volume).Select(mount => mount.Target.TrimStart('/'))],
    };

    private static string Extension(ServiceSpec spec) => spec.BasMalin?.Backup?.Kind switch
    {
        "postgres" => "dump",
        "redis" => "rdb",
        _ => "tar",
    };

    private static StepFailure Failed(ServiceSpec spec, string what, DeploymentWork work) => new(
        FailureReason.BackupFailed, $"The backup of {spec.Name} before the deployment {what}", $"{work.StackName} is as it was. Mend the backup, or take before_deploy out of the file.");
}

/// <param name="Directory">Where backups before deployments are kept.</param>
public sealed record ProtectOptions(string Directory);
