using System.Collections.Immutable;
using System.Text;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Backups.Postgres;

/// <summary>PostgreSQL's own checks of a restored copy, run with the programs of its image. For drills: none of them changes what it looks at, except that the second adds an extension.</summary>
public sealed class PostgresProofs(IContainerEngine engine, PostgresLogins logins, ImageTool tool)
{
    private static readonly TimeSpan RemovalBudget = TimeSpan.FromSeconds(30);

    /// <summary>
    /// <c>pg_verifybackup</c>: every file that was laid out has the size and checksum that were written down when it was copied. Said before the image is started on
    /// them; the log is checked by recovery itself.
    /// </summary>
    /// <param name="target">As it was given to the restore.</param>
    public Task<ProofResult> FilesAsync(RestoreTarget target, CancellationToken cancellationToken) =>
        OnFilesAsync(target, directory => ["pg_verifybackup", "-n", "-i", RecoverySettings.LogDirectory, directory], cancellationToken);

    /// <summary><c>pg_checksums</c>: every page's checksum. Said when the server has been stopped in good order; only for clusters that have checksums.</summary>
    public Task<ProofResult> PagesAsync(RestoreTarget target, CancellationToken cancellationToken) =>
        OnFilesAsync(target, directory => ["pg_checksums", "--check", "-D", directory], cancellationToken);

    /// <summary><c>pg_amcheck</c>: every table and index of every database is well formed, and every row is in its indexes. For version 14 and later.</summary>
    /// <param name="subject">The restored service, running.</param>
    public async Task<ProofResult> IndexesAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(subject, cancellationToken);
        ImmutableArray<string> program =
        [
            "pg_amcheck", .. login.Arguments, "--all", "--maintenance-db", PostgresLogin.Conninfo("postgres"), "--install-missing", "--heapallindexed", "-j", "2",
        ];
        var said = new StringBuilder();
        try
        {
            await tool.RunAsync(
                subject,
                login,
                program,
                async (pipe, token) =>
                {
                    using var text = new StreamReader(pipe, Encoding.UTF8, leaveOpen: true);
                    // A broken table has a line for every row: the first say enough.
                    while (await text.ReadLineAsync(token) is { } line) if (said.Length < 4096) said.Append(line).Append('\n');
                },
                cancellationToken);
            return new(true, "pg_amcheck found nothing wrong");
        }
        catch (BackupFailedException broken)
        {
            return new(false, $"{broken.Message} {said}".Trim());
        }
    }

    private async Task<ProofResult> OnFilesAsync(RestoreTarget target, Func<string, ImmutableArray<string>> program, CancellationToken cancellationToken)
    {
        var directory = target.Service.Container.Environment.GetValueOrDefault("PGDATA") ?? target.Directories.Keys.FirstOrDefault(mount => mount.Contains("postgres", StringComparison.Ordinal)) ?? PostgresRestore.UsualDirectory;
        var command = program(directory);
        var id = await engine.CreateAsync(
            new()
            {
                Name = $"{target.Stack}-{target.Service.Name}-proof-{Guid.CreateVersion7():N}",
                Image = target.Image,
                Labels = ImmutableSortedDictionary<string, string>.Empty.Add(Labels.Stack, target.Stack).Add(Labels.Service, target.Service.Name).Add(Labels.Kind, "backup"),
                Settings = new() { Entrypoint = [.. command], Command = [], ReadOnly = true, SecurityOpt = ["no-new-privileges"], Healthcheck = new() { Disabled = true } },
                Networks = [new("none", [])],
                Mounts = [.. target.Directories.Select(mount => new MountSpec(MountKind.Bind, mount.Value, mount.Key, true, false))],
            },
            cancellationToken);
        try
        {
            await engine.StartAsync(id, cancellationToken);
            var code = await engine.WaitAsync(id, cancellationToken);
            var words = string.Join(" / ", (await engine.TailAsync(id, 10, cancellationToken)).Select(line => line.Text.Trim()));
            return new(code == 0, words.Length == 0 ? $"{command[0]} ended with {code}" : words);
        }
        finally
        {
            using var budget = new CancellationTokenSource(RemovalBudget);
            await engine.RemoveAsync(id, TimeSpan.Zero, budget.Token);
        }
    }
}

/// <param name="Detail">What the program said.</param>
public sealed record ProofResult(bool Passed, string Detail);
