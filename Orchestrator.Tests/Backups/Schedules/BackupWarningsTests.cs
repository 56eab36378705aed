using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Scheduling;
using Orchestrator.Tests.Stacks;

namespace Orchestrator.Tests.Backups.Schedules;

/// <summary>From the sets of a stack, its schedules and the clock to what somebody should know.</summary>
public sealed class BackupWarningsTests
{
    private const string Set = "A set is overdue: it was due at 2026-11-26 01:00Z, and the last one is of ";
    private const string Proof = "A proof of a set is overdue: it was due at 2026-11-23 05:30Z, and the last one is of ";

    [Test]
    public void All_is_well_with_a_set_of_the_night_and_a_proof_of_the_week() => Assert.That(Find("2026-11-26T08:00:00Z", [("2026-11-26T01:00:10Z", null), ("2026-11-23T01:00:10Z", "2026-11-23T05:31:00Z")]), Is.Empty);

    [Test]
    public void Without_any_set_that_is_all_there_is_to_say() => Assert.That(Find("2026-11-26T08:00:00Z", []), Is.EqualTo(new[] { "Nothing of it has been backed up yet" }));

    [Test]
    public void Sets_that_nobody_has_restored_are_told_of() =>
        Assert.That(Find("2026-11-26T08:00:00Z", [("2026-11-26T01:00:10Z", null)]), Is.EqualTo(new[] { "No set has been proved: none has been restored to see that it can be" }));

    [Test]
    public void What_was_due_and_has_not_come_is_overdue_once_its_grace_is_over_whatever_became_of_it()
    {
        (string, string?)[] sets = [("2026-11-25T01:00:10Z", "2026-11-25T05:00:00Z")];

        Assert.That(Find("2026-11-26T01:29:00Z", sets), Is.Empty, "it may still begin");
        Assert.That(Find("2026-11-26T01:31:00Z", sets), Is.EqualTo(new[] { $"{Set}2026-11-25 01:00Z" }));
        Assert.That(Find("2026-11-26T01:31:00Z", sets, "backup"), Is.Empty, "it is being made");
    }

    [Test]
    public void A_proof_grows_old_as_well() =>
        Assert.That(Find("2026-11-26T08:00:00Z", [("2026-11-26T01:00:10Z", null), ("2026-11-16T01:00:10Z", "2026-11-16T05:31:00Z")]), Is.EqualTo(new[] { $"{Proof}2026-11-16 05:31Z" }));

    private static ImmutableArray<string> Find(string now, (string At, string? Proved)[] sets, params string[] busy)
    {
        var stack = Compose.Stack("services:\n  db:\n    image: postgres:15\n    volumes: [ \"data:/data\" ]\n    x-basmalin: { backup: { kind: postgres, every: \"0 1 * * *\" } }\nvolumes: { data: {} }\n");
        var standing = sets.Select((set, index) => new BackupSetRecord
        {
            Stack = stack.Name,
            Sequence = sets.Length - index,
            Id = BackupSetId.Of(sets.Length - index, DateTimeOffset.Parse(set.At, null)),
            State = BackupSetState.Succeeded,
            Reason = "schedule",
            StartedAt = DateTimeOffset.Parse(set.At, null),
            ProvedAt = set.Proved is { } proved ? DateTimeOffset.Parse(proved, null) : null,
        });
        return [.. BackupWarnings.Find(stack, [.. standing], busy.ToHashSet(), DateTimeOffset.Parse(now, null)).Select(warning => warning.What)];
    }
}
