using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Planning;

namespace Orchestrator.Tests.Deployments;

internal sealed class RecoveryTests
{
    [Test]
    public void What_had_not_begun_waits_its_turn() => Assert.That(Recovery.Decide(Interrupted() with { State = DeploymentState.Queued }), Is.EqualTo(new RecoveryAction.Wait()));

    /// <summary>Every row at which the daemon can die, both sides of its effect.</summary>
    [Test]
    public void Before_the_shift_is_written_down_everything_is_undone_and_after_it_everything_goes_on([Values] StepKind step, [Values] bool ended)
    {
        var rows = Enum.GetValues<StepKind>().Where(kind => kind < step).Select(kind => Row(kind, StepState.Succeeded)).Append(Row(step, ended ? StepState.Succeeded : StepState.Running));

        RecoveryAction expected = (step, ended) switch
        {
            ( < StepKind.Shift, _) or (StepKind.Shift, false) => new RecoveryAction.Undo(RunAgain: false),
            (StepKind.Commit, _) => new RecoveryAction.Continue(StepKind.Commit),
            (_, true) => new RecoveryAction.Continue(step + 1),
            _ => new RecoveryAction.Continue(step),
        };
        Assert.That(Recovery.Decide(Interrupted([.. rows])), Is.EqualTo(expected));
    }

    [Test]
    public void An_undo_that_was_interrupted_is_finished_even_after_the_shift([Values(StepState.Failed, StepState.Undone, StepState.UndoFailed)] StepState state) =>
        Assert.That(Recovery.Decide(Interrupted(Row(StepKind.Shift, StepState.Succeeded), Row(StepKind.Bake, state))), Is.EqualTo(new RecoveryAction.Undo(RunAgain: false)));

    [Test]
    public void An_orderly_stop_before_the_shift_is_undone_and_run_again() =>
        Assert.That(Recovery.Decide(Interrupted(Row(StepKind.Pull, StepState.Running)) with { Suspended = true }), Is.EqualTo(new RecoveryAction.Undo(RunAgain: true)));

    [Test]
    public void A_failure_or_a_cancel_that_is_written_down_is_undone_even_after_the_shift_and_never_run_again()
    {
        var shifted = Interrupted(Row(StepKind.Shift, StepState.Succeeded), Row(StepKind.Bake, StepState.Running)) with { Suspended = true };

        Assert.That(Recovery.Decide(shifted), Is.EqualTo(new RecoveryAction.Continue(StepKind.Dependants)));
        Assert.That(Recovery.Decide(shifted with { CancelRequested = true }), Is.EqualTo(new RecoveryAction.Undo(RunAgain: false)));
        Assert.That(Recovery.Decide(shifted with { Failure = new(FailureReason.BakeFailed, "", "") }), Is.EqualTo(new RecoveryAction.Undo(RunAgain: false)));
    }

    [Test]
    public void A_commit_that_is_written_down_is_true_whatever_was_asked_for_since() => Assert.That(
        Recovery.Decide(Interrupted(Row(StepKind.Shift, StepState.Succeeded), Row(StepKind.Commit, StepState.Succeeded)) with { CancelRequested = true }), Is.EqualTo(new RecoveryAction.Continue(StepKind.Commit)));

    [Test]
    public void Routes_are_laid_to_the_version_before_when_the_one_that_is_recorded_will_be_taken_back()
    {
        var (before, recorded) = (new StackState { Stack = "s", CurrentRelease = 1 }, new StackState { Stack = "s", CurrentRelease = 2, Maintenance = true });
        var shifted = Interrupted(Row(StepKind.Shift, StepState.Succeeded)) with { Before = before };

        Assert.That(Recovery.Serving(recorded, null), Is.SameAs(recorded));
        Assert.That(Recovery.Serving(recorded, shifted), Is.SameAs(recorded), "it goes on");
        Assert.That(Recovery.Serving(recorded, shifted with { State = DeploymentState.Queued }), Is.SameAs(recorded));
        Assert.That(Recovery.Serving(recorded, shifted with { Failure = new(FailureReason.BakeFailed, "", "") }), Is.EqualTo(before with { Maintenance = true }), "the bad version gets no request; who is in maintenance stays there");
    }

    [Test]
    public void A_newer_request_keeps_what_the_older_one_would_have_brought_where_it_says_nothing_else()
    {
        var older = new DeploymentRequest { Stack = "s", Kind = DeploymentKind.Apply, File = new() { Name = "s", Directory = "/" }, Images = Images(("app", "1"), ("web", "1")) };
        var newer = new DeploymentRequest { Stack = "s", Kind = DeploymentKind.Deploy, Images = Images(("app", "2")) };

        var merged = newer.InPlaceOf(older);

        Assert.Multiple(() =>
        {
            Assert.That(merged.File, Is.SameAs(older.File));
            Assert.That(merged.Images, Is.EqualTo(Images(("app", "2"), ("web", "1"))));
            Assert.That(merged.Kind, Is.EqualTo(DeploymentKind.Deploy));
        });
    }

    [Test]
    public void A_file_or_a_rollback_is_whole_by_itself([Values(DeploymentKind.Apply, DeploymentKind.Rollback)] DeploymentKind kind)
    {
        var newer = new DeploymentRequest { Stack = "s", Kind = kind };
        Assert.That(newer.InPlaceOf(new() { Stack = "s", Kind = DeploymentKind.Deploy, Images = Images(("app", "1")) }), Is.EqualTo(newer));
    }

    [TestCase("2026-11-20T16:00:00Z", true, TestName = "Friday at its begin")]
    [TestCase("2026-11-20T15:59:59Z", false, TestName = "Friday a second before")]
    [TestCase("2026-11-21T05:59:59Z", true, TestName = "the night after")]
    [TestCase("2026-11-21T06:00:00Z", false, TestName = "the morning after")]
    [TestCase("2026-11-22T17:00:00Z", false, TestName = "another day")]
    public void A_freeze_window_may_cross_midnight(string instant, bool frozen) =>
        Assert.That(new FreezeWindow([DayOfWeek.Friday], new(16, 0), new(6, 0), TimeZoneInfo.Utc).Contains(DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture)), Is.EqualTo(frozen));

    private static ImmutableSortedDictionary<string, string> Images(params (string Service, string Image)[] images) =>
        images.ToImmutableSortedDictionary(item => item.Service, item => item.Image);

    private static StepRecord Row(StepKind kind, StepState state) => new(kind, state, DateTimeOffset.UnixEpoch, null, null);

    private static Deployment Interrupted(params StepRecord[] steps) => new()
    {
        Id = new(1),
        Request = new() { Stack = "s", Kind = DeploymentKind.Deploy },
        State = DeploymentState.Running,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Steps = [.. steps],
    };
}
