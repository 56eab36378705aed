using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>How sets and drills went lately, as small bars: one that is unlike the others is seen at once. Drawn here; the page needs no script for it.</summary>
internal static class BackupTrends
{
    private const int Height = 32;
    private const int Step = 8;
    private const int Bar = 6;

    public static Html Render(BackupBoard backups)
    {
        var sets = backups.Sets;
        var drills = backups.Drills;
        if (sets.Length < 2 && drills.Length < 2) return Html.Empty;

        return Html.Of($"""
            <div class="trends">
            {Plot("size", "Size of a set", [.. sets.Select(set => (double)set.Bytes)], [], value => BackupsView.Size((long)value))}
            {Plot("duration", "Time that a set took", [.. sets.Select(set => (set.Took ?? TimeSpan.Zero).TotalSeconds)], [], Seconds)}
            {Plot("rto", "Recovery, as drills measured it", [.. drills.Select(drill => drill.RecoverySeconds)], [.. drills.Select(drill => !drill.Passed)], Seconds)}
            </div>
            """);
    }

    /// <param name="values">Oldest first.</param>
    /// <param name="failed">Which of them failed; empty: none.</param>
    private static Html Plot(string name, string title, ImmutableArray<double> values, ImmutableArray<bool> failed, Func<double, string> say)
    {
        if (values.Length < 2) return Html.Empty;

        var most = Math.Max(values.Max(), double.Epsilon);
        var label = $"{title}: the last {values.Length}, from {say(values.Min())} to {say(values.Max())}, now {say(values[^1])}";
        return Html.Of($"""
            <figure class="trend trend-{name}"><figcaption>{title} <strong>{say(values[^1])}</strong></figcaption>
            <svg viewBox="0 0 {Whole(values.Length * Step)} {Whole(Height)}" width="{Whole(values.Length * Step)}" height="{Whole(Height)}" role="img" aria-label="{label}">{values.Select((value, index) => Draw(index, value / most, index < failed.Length && failed[index], say(value)))}</svg></figure>
            """);
    }

    private static Html Draw(int index, double share, bool failed, string said)
    {
        // What is next to nothing is still there.
        var height = Math.Max(2, (int)Math.Round(share * Height));
        var kind = failed ? "failed" : "good";
        return Html.Of($"""<rect class="{kind}" x="{Whole(index * Step)}" y="{Whole(Height - height)}" width="{Whole(Bar)}" height="{Whole(height)}"><title>{said}</title></rect>""");
    }

    private static string Seconds(double value) => Phrases.Took(TimeSpan.FromSeconds(value));

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);
}
