using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;

namespace Orchestrator.Restores;

/// <summary>The set that a restore begins with, and the moment that it goes to.</summary>
/// <param name="Words">The moment, for people.</param>
public sealed record RestoreChoice(BackupSetRecord Set, RestorePoint Point, string Words)
{
    public const string Expected = "a time (2026-11-25T13:30:00Z), a set (42 or its whole name), 'latest', or before-deployment:ID";

    /// <summary>True: it goes to the very moment at which the set's content was hashed.</summary>
    public bool Exact => Point is RestorePoint.OfSet;

    public BackupManifest Manifest => Set.Manifest ?? throw new InvalidOperationException($"{Set.Id} has no manifest.");

    /// <summary>Pure: from what was said to what is meant.</summary>
    /// <param name="all">Sets of the stack that can be restored, newest first.</param>
    /// <exception cref="BackupFailedException">Nothing fits, and the hint says what would.</exception>
    public static RestoreChoice Find(string stack, string to, ImmutableArray<BackupSetRecord> all)
    {
        if (all.FirstOrDefault(set => set.IsDump && (set.Id.Value == to || set.Name == to || $"{set.Sequence}" == to)) is { } dump)
        {
            throw new BackupFailedException(
                $"{dump.Id} is a logical dump: a stack is not brought back from it", $"Choose another set ('basmalin backup list {stack}'), or load the dump by hand: docs/postgres.md says how.");
        }

        var standing = all.RemoveAll(set => set.IsDump);
        if (standing.IsEmpty) throw new BackupFailedException($"{stack} has no set that can be restored", $"Make one: basmalin backup run {stack}");
        if (to == "latest") return new(standing[0], new RestorePoint.Latest(), $"the latest state that was received, from the set {standing[0].Id} on");
        if (to.StartsWith("before-deployment:", StringComparison.Ordinal)) return Exactly(standing.FirstOrDefault(set => set.Reason == to), $"No set was made {to.Replace(':', ' ')}");
        if (long.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)) return Exactly(standing.FirstOrDefault(set => set.Sequence == sequence), $"{stack} has no set {sequence} that can be restored");
        if (standing.FirstOrDefault(set => set.Id.Value == to || set.Name == to) is { } named) return Exactly(named, "");
        if (!DateTimeOffset.TryParse(to, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) || to.Length < 8)
            throw new BackupFailedException($"'{to}' names no set of {stack} and no time", $"Expected {Expected}; 'basmalin backup list {stack}' shows the sets.");

        var before = standing.FirstOrDefault(set => set.Manifest is { } manifest && manifest.CreatedAt <= time) ?? throw new BackupFailedException(
            $"The oldest set of {stack} was taken at {standing[^1].Manifest?.CreatedAt:yyyy-MM-dd HH:mm:ss}Z, after {time:yyyy-MM-dd HH:mm:ss}Z: one can go forwards from a set, not backwards", $"'basmalin backup list {stack}' shows the sets.");
        return new(before, new RestorePoint.At(time), $"{time:yyyy-MM-dd HH:mm:ss.fff}Z, from the set {before.Id} on");
    }

    private static RestoreChoice Exactly(BackupSetRecord? set, string problem) => set is { Manifest: { } manifest }
        ? new(set, new RestorePoint.OfSet(), $"the set {set.Id} of {manifest.CreatedAt:yyyy-MM-dd HH:mm:ss}Z")
        : throw new BackupFailedException(problem, $"'basmalin backup list' shows the sets. Expected {Expected}.");
}
