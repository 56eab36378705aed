using Orchestrator.Backups;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Restores;

internal static class SetReleases
{
    /// <summary>The release that ran when the set was made, as its data fits that one; else the one that runs now.</summary>
    /// <exception cref="BackupFailedException">Neither is known.</exception>
    public static async Task<Release> ReleaseOfAsync(this IJournal journal, string stack, BackupManifest manifest, CancellationToken cancellationToken)
    {
        if (manifest.Release > 0 && await journal.FindReleaseAsync(stack, manifest.Release, cancellationToken) is { } then) return then;
        if (await journal.FindStackAsync(stack, cancellationToken) is { CurrentRelease: > 0 } state && await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) is { } now) return now;
        throw new BackupFailedException($"No release of {stack} is known, so it is not known which images the data is for", "Apply the stack's file, or recover the stack: basmalin recover.");
    }
}
