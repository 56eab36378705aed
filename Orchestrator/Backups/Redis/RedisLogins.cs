using Orchestrator.Secrets;
using Orchestrator.Stacks;

namespace Orchestrator.Backups.Redis;

/// <summary>As whom the daemon comes to a service's Redis.</summary>
internal sealed class RedisLogins(SecretStore secrets)
{
    private const string PasswordOption = "--requirepass";
    private const string PasswordVariable = "REDIS_PASSWORD";

    /// <exception cref="BackupFailedException">The named secret is not kept.</exception>
    public async Task<RedisEndpoint> OfAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var backup = subject.Backup;
        var password = backup.PasswordSecret is { } name
            ? await secrets.FindAsync(subject.Stack, name, null, cancellationToken)
                ?? throw new BackupFailedException(
                    $"{subject.Service.Name}: the secret {name} of x-basmalin.backup.password_secret is not kept", $"Set it with 'basmalin secret set {subject.Stack} {name}'.")
            : OfService(subject.Service.Container);
        return RedisEndpoint.Of(subject.Address, backup.User, password);
    }

    /// <summary>What the service was told itself: by its command, as images without a setting for it are, or by the usual variable.</summary>
    private static Secret? OfService(ContainerSettings settings)
    {
        var command = settings.Command ?? [];
        var at = command.IndexOf(PasswordOption);
        if (at >= 0 && at + 1 < command.Length) return new Secret(command[at + 1]);

        return settings.Environment.TryGetValue(PasswordVariable, out var value) && value.Length > 0 ? new Secret(value) : null;
    }
}
