using System.Collections.Immutable;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Hosting;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Agent.Installation;

/// <summary>
/// Another version in place of this one: looked at before anything is touched, put there by a rename, started by systemd, asked whether it is well, and
/// replaced by the one before when it is not. Connections wait meanwhile: systemd has the listeners.
/// </summary>
internal sealed class Upgrade(InstallPaths paths, TimeProvider time, Action<string> say)
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(50);

    /// <param name="sha256">What the file's hash must be, in hex; null: any.</param>
    /// <param name="limit">How long the new version may take to be ready.</param>
    /// <exception cref="InstallException">Nothing was changed.</exception>
    public async Task<UpgradeResponse> RunAsync(string file, string? sha256, TimeSpan limit, CancellationToken cancellationToken)
    {
        CheckMachine();
        using var only = Hold();
        var options = Settings();
        var staged = paths.Program + ".candidate";
        try
        {
            var after = await StageAsync(file, staged, sha256, cancellationToken);
            var before = await ProgramFile.IdentifyAsync(paths.Program, cancellationToken);
            if (ProgramFile.HashOf(staged) == ProgramFile.HashOf(paths.Program)) return new UpgradeResponse("same", before.Client, after.Client, null);

            CheckSchema(options, after);
            return await ReplaceAsync(staged, before, after, options, limit, cancellationToken);
        }
        finally
        {
            File.Delete(staged);
        }
    }

    private async Task<UpgradeResponse> ReplaceAsync(
        string staged, VersionReport before, VersionReport after, AgentOptions options, TimeSpan limit, CancellationToken cancellationToken)
    {
        var service = new ServiceUnit(options.Admin.Socket, time);
        ProgramFile.Place(paths.Program, paths.Previous);
        ProgramFile.Place(staged, paths.Program);
        say($"{before.Client} → {after.Client}: restarting");
        var since = time.GetUtcNow();

        // From here on it is carried to one of its two ends, whoever loses patience.
        var restarted = await ServiceUnit.SystemctlAsync("restart", limit, CancellationToken.None);
        var trouble = restarted.Ok ? await service.WellAsync(after.Client, limit, Settle, CancellationToken.None) : Summary(restarted);
        if (trouble is null) return new UpgradeResponse("upgraded", before.Client, after.Client, null);

        var log = await ServiceUnit.LogAsync(since, CancellationToken.None);
        say($"{after.Client} is not well ({trouble}): going back to {before.Client}");
        await BackAsync(options, before, limit);
        var back = await service.WellAsync(before.Client, limit, TimeSpan.Zero, CancellationToken.None);
        return new UpgradeResponse(back is null ? "wentBack" : "broken", before.Client, after.Client, $"{trouble}\n{log}{(back is null ? "" : $"\n{before.Client}: {back}")}");
    }

    /// <summary>The program before, and the journal as it could read it.</summary>
    private async Task BackAsync(AgentOptions options, VersionReport before, TimeSpan limit)
    {
        ProgramFile.Place(paths.Previous, paths.Program);
        var journal = JournalOf(options);
        if (JournalSchema.Read(journal) > before.Schema)
        {
            await ServiceUnit.SystemctlAsync("stop", limit, CancellationToken.None);

            // A connection that arrives now starts the service; while the directory is held it ends again, and is tried again until it is free.
            using var held = await HoldDataAsync(options.Data);
            say(JournalSchema.TryRestore(journal, before.Schema)
                ? "the journal is as it was before it was brought up to date"
                : $"the journal was brought up to date, and there is no copy of schema {before.Schema}");
        }

        await ServiceUnit.SystemctlAsync("restart", limit, CancellationToken.None);
    }

    private async Task<DataDirectoryLock> HoldDataAsync(string directory)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(LockPause, time))
        {
            if (DataDirectoryLock.TryAcquire(directory, out var problem) is { } held) return held;
            if (time.GetElapsedTime(started) > LockPatience) throw new InstallException("the journal cannot be put back", problem, "stop basmalin.service, and put the copy journal.schema-N.db in place of journal.db by hand");
        }
    }

    private static async Task<VersionReport> StageAsync(string file, string staged, string? sha256, CancellationToken cancellationToken)
    {
        if (!File.Exists(file)) throw new InstallException($"there is no file {file}", null, null);

        // What is looked at is the copy: nobody changes it afterwards.
        ProgramFile.Place(file, staged);
        ProgramFile.CheckExecutable(staged);
        var hash = ProgramFile.HashOf(staged);
        if (sha256 is not null && !string.Equals(hash, sha256.Trim(), StringComparison.OrdinalIgnoreCase))
            throw new InstallException($"{file} is not the file that was meant", $"its SHA-256 is {hash}", "fetch it again; nothing was changed");
        return await ProgramFile.IdentifyAsync(staged, cancellationToken);
    }

    private static void CheckSchema(AgentOptions options, VersionReport after)
    {
        if (JournalSchema.Read(JournalOf(options)) is not { } schema || schema <= after.Schema) return;

        throw new InstallException(
            $"{after.Client} cannot read the journal", $"the journal has schema {schema}, that version knows up to {after.Schema}",
            "stay with this version, or restore a copy of the journal from before (journal.schema-N.db in the data directory) with the service stopped");
    }

    private static string JournalOf(AgentOptions options) => Path.Combine(options.Data, "journal.db");

    private static string Summary(CommandResult result) => result.Said.Split('\n', 2)[0] is { Length: > 0 } line ? line : "it does not start";

    private FileStream Hold()
    {
        try
        {
            return new FileStream(paths.UpgradeLock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new InstallException("another upgrade is under way", $"it holds {paths.UpgradeLock}", "wait for its end");
        }
    }

    private AgentOptions Settings()
    {
        var settings = AgentFile.Load(File.Exists(paths.Settings) ? paths.Settings : null, ImmutableSortedDictionary<string, string>.Empty);
        return settings.Options ?? throw new InstallException($"{paths.Settings} cannot be used, so no version would start", string.Join('\n', settings.Problems), "correct it first");
    }

    private void CheckMachine()
    {
        if (!Environment.IsPrivilegedProcess) throw new InstallException("only root can do that", null, "say it with sudo");
        if (!File.Exists(paths.ServiceUnit) || !File.Exists(paths.Program))
            throw new InstallException("BasMalin is not installed here", $"there is no {paths.ServiceUnit} or no {paths.Program}", "basmalin install");
    }
}
