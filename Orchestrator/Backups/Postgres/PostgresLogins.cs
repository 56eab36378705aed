using System.Text;
using Orchestrator.Docker;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Postgres;

/// <summary>Finds out as whom to sign in to a service's database: what the file says, else what the image was started with.</summary>
/// <param name="secret">Stack and name → the stored secret; null: there is none.</param>
public sealed class PostgresLogins(IContainerEngine engine, Func<string, string, CancellationToken, Task<Secret?>> secret)
{
    internal static string UserOf(BackupSubject subject) => subject.Backup.User ?? subject.Service.Container.Environment.GetValueOrDefault("POSTGRES_USER", "postgres");

    /// <exception cref="BackupFailedException">The password cannot be had.</exception>
    internal async Task<PostgresLogin> OfAsync(BackupSubject subject, CancellationToken cancellationToken) =>
        PostgresLogin.At(subject.Address, UserOf(subject), await PasswordAsync(subject, cancellationToken));

    private async Task<Secret> PasswordAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        if (subject.Backup.PasswordSecret is { } name)
        {
            return await secret(subject.Stack, name, cancellationToken) ?? throw new BackupFailedException(
                $"{subject.Stack}/{subject.Service.Name}: there is no secret '{name}' with the database's password",
                $"Set it: basmalin secret set {subject.Stack} {name}");
        }

        var environment = subject.Service.Container.Environment;
        if (environment.TryGetValue("POSTGRES_PASSWORD", out var given)) return new(given);
        if (environment.TryGetValue("POSTGRES_PASSWORD_FILE", out var path)) return await ReadAsync(subject, path, cancellationToken);
        return new("");     // POSTGRES_HOST_AUTH_METHOD: trust; anything else refuses it, and says so
    }

    /// <summary>From where the image itself reads it: it passes through the daemon's memory only.</summary>
    private async Task<Secret> ReadAsync(BackupSubject subject, string path, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        var read = await engine.ExecAsync(subject.Container.Id, ["cat", path], content, cancellationToken);
        return read.ExitCode == 0
            ? new(Encoding.UTF8.GetString(content.ToArray()).TrimEnd('\r', '\n'))
            : throw new BackupFailedException(
                $"{subject.Stack}/{subject.Service.Name}: its POSTGRES_PASSWORD_FILE {path} could not be read in the container: {read.Output.Trim()}",
                "Name the secret with the password: x-basmalin.backup.password_secret");
    }
}
