using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Restores;

namespace Orchestrator.Tests.Restores;

/// <summary>From what somebody said to the set and the moment that are meant.</summary>
public sealed class RestoreChoiceTests
{
    private static readonly DateTimeOffset Monday = new(2026, 11, 23, 1, 0, 0, TimeSpan.Zero);
    private static readonly ImmutableArray<BackupSetRecord> Sets = [Set(3, Monday.AddDays(2), "schedule"), Set(2, Monday.AddDays(1), "before-deployment:7"), Set(1, Monday, "schedule")];

    [TestCase("3", 3)]
    [TestCase("000001-20261123T010000Z", 1)]
    [TestCase("garden.000002-20261124T010000Z", 2)]
    [TestCase("before-deployment:7", 2)]
    public void A_set_is_meant_exactly(string to, long sequence)
    {
        var choice = RestoreChoice.Find("garden", to, Sets);

        Assert.That((choice.Set.Sequence, choice.Exact), Is.EqualTo((sequence, true)));
    }

    [TestCase("2026-11-24T23:59:59Z", 2)]
    [TestCase("2026-11-25T02:00:00+01:00", 3)]
    [TestCase("2026-11-24 01:00:00", 2)]
    public void A_time_is_reached_from_the_newest_set_that_is_not_later(string to, long sequence)
    {
        var choice = RestoreChoice.Find("garden", to, Sets);

        Assert.That(choice.Set.Sequence, Is.EqualTo(sequence));
        Assert.That(choice.Point, Is.EqualTo(new RestorePoint.At(DateTimeOffset.Parse(to, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal))));
    }

    [Test]
    public void Latest_is_all_that_was_received_since_the_newest_set() =>
        Assert.That(RestoreChoice.Find("garden", "latest", Sets), Is.EqualTo(new RestoreChoice(Sets[0], new RestorePoint.Latest(), $"the latest state that was received, from the set {Sets[0].Id} on")));

    [TestCase("2026-11-22T00:00:00Z", "The oldest set of garden was taken at 2026-11-23 01:00:00Z, after 2026-11-22 00:00:00Z: one can go forwards from a set, not backwards")]
    [TestCase("9", "garden has no set 9 that can be restored")]
    [TestCase("before-deployment:8", "No set was made before-deployment 8")]
    [TestCase("yesterday", "'yesterday' names no set of garden and no time")]
    public void What_does_not_fit_is_said(string to, string problem) =>
        Assert.That(() => RestoreChoice.Find("garden", to, Sets), Throws.TypeOf<BackupFailedException>().With.Message.EqualTo(problem));

    [Test]
    public void Without_sets_there_is_nothing_to_go_to() =>
        Assert.That(() => RestoreChoice.Find("garden", "latest", []), Throws.TypeOf<BackupFailedException>().With.Message.EqualTo("garden has no set that can be restored"));

    private static BackupSetRecord Set(long sequence, DateTimeOffset at, string reason) => new()
    {
        Stack = "garden",
        Sequence = sequence,
        Id = BackupSetId.Of(sequence, at),
        State = BackupSetState.Succeeded,
        Reason = reason,
        StartedAt = at,
        Manifest = new() { Id = BackupSetId.Of(sequence, at), Stack = "garden", CreatedAt = at, Reason = reason, Program = "1", Recipients = [], Parts = [] },
    };
}
