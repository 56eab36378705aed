using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Planning;

namespace Orchestrator.Journal.Sqlite;

/// <summary>The record of one stack as text, for a place outside of the journal: its state and every release that is kept, as the journal itself writes them.</summary>
public static class StackExport
{
    public static async Task<StackRecord> TakeAsync(IJournal journal, string stack, CancellationToken cancellationToken) =>
        new(await journal.FindStackAsync(stack, cancellationToken), await journal.ListReleasesAsync(stack, cancellationToken));

    public static string Write(StackRecord record) => JournalJson.Write(record);

    /// <exception cref="System.Text.Json.JsonException">It is no such text, or of a newer version.</exception>
    public static StackRecord Read(string json) => JournalJson.Read<StackRecord>(json);
}

/// <param name="State">Null: nothing ran.</param>
/// <param name="Releases">Newest first.</param>
public sealed record StackRecord(StackState? State, ImmutableArray<Release> Releases)
{
    /// <summary>The release that had the traffic; 0: none.</summary>
    public int Current => State?.CurrentRelease ?? 0;

    /// <summary>How many releases.</summary>
    public int Count => Releases.Length;

    /// <summary>Files of the host that the current release takes secrets and configurations from.</summary>
    public IEnumerable<string> Files => Releases.Where(release => release.Number == Current).SelectMany(release => release.Stack.Secrets.Concat(release.Stack.Configs))
        .Select(item => item.File).OfType<string>().Distinct();
}
