using System.Collections.Immutable;
using Npgsql;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres.Dumps;

/// <summary>
/// Loads a dump into a server that was set up empty and that nobody else uses: roles, then each database in the place of any that its image has made. All is read
/// from the standard input: <c>pg_restore</c> opens a file that it is given twice, which a pipe does not bear.
/// </summary>
public sealed class DumpLoading(PostgresLogins logins, ImageTool tool)
{
    /// <summary>The database that is always there and that no dump takes the place of.</summary>
    private const string Entry = "template1";

    /// <summary>True: it takes connections, and is no standby.</summary>
    public async Task<bool> AnswersAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(Own(subject), cancellationToken);
        try
        {
            await using var connection = await login.OpenAsync(Entry, cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    /// <summary>Of every table, comparable with those of a dump.</summary>
    public async Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(Own(subject), cancellationToken);
        try
        {
            return await LiveFingerprints.OfAsync(login, RowHash.Text, cancellationToken);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    /// <exception cref="BackupFailedException">The dump is not whole, or the server did not take it.</exception>
    public async Task LoadAsync(BackupPart part, BackupSubject subject, BackupReader reader, Action<string> say, CancellationToken cancellationToken)
    {
        var own = Own(subject);
        var login = await logins.OfAsync(own, cancellationToken);
        try
        {
            say($"{part.Service}: loading the roles");
            await RolesAsync(part, own, login, reader, cancellationToken);
            foreach (var (database, stored) in DumpContents.Databases(part))
            {
                say($"{part.Service}: loading the database {database}");
                await reader.ReadAsync(
                    stored,
                    (content, token) => tool.FeedAsync(
                        own, login, ["pg_restore", .. login.Arguments, "-d", PostgresLogin.Conninfo(Entry), "--create", "--clean", "--if-exists", "--exit-on-error"], (input, inner) => content.CopyToAsync(input, inner), token),
                    cancellationToken);
            }
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    /// <summary>
    /// The server has its image's superuser already, so the statement that makes it fails, and that is right; a role that is missing fails the load of the
    /// database that needs it. The dump gives that superuser its password of then; ours is given back, or nobody could sign in any more.
    /// </summary>
    private async Task RolesAsync(BackupPart part, BackupSubject own, PostgresLogin login, BackupReader reader, CancellationToken cancellationToken)
    {
        await using var held = await login.OpenAsync(Entry, cancellationToken);
        await reader.ReadAsync(
            DumpContents.Find(part, DumpContents.Globals),
            (content, token) => tool.FeedAsync(own, login, ["psql", .. login.Arguments, "-X", "-q", "-d", PostgresLogin.Conninfo(Entry)], (input, inner) => content.CopyToAsync(input, inner), token),
            cancellationToken);
        if (login.Password.Reveal().Length > 0)
        {
            await using var quoted = new NpgsqlCommand("SELECT format('ALTER ROLE %I PASSWORD %L', current_user, @password)", held);
            quoted.Parameters.AddWithValue("password", login.Password.Reveal());
            await TableFingerprints.ExecuteAsync(held, (string)(await quoted.ExecuteScalarAsync(cancellationToken) ?? ""), cancellationToken);
        }
    }

    /// <summary>As the image's own superuser: another login is not there before its dump is loaded.</summary>
    internal static BackupSubject Own(BackupSubject subject) => subject with
    {
        Service = subject.Service with { BasMalin = (subject.Service.BasMalin ?? new()) with { Backup = subject.Backup with { User = null, PasswordSecret = null } } },
    };
}
