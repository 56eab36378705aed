using System.Globalization;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Restores;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>Backups of a stack: the newest set, whether it was proved, and what goes on.</summary>
internal static class BackupsView
{
    public static Html Render(string stack, BackupBoard? backups) => Html.Of(
        $"""<div id="backups-{stack}" class="backups">{(backups is null ? Html.Empty : Section(backups))}</div>""");

    private static Html Section(BackupBoard backups) => Html.Of($"""
        <h3>Backups {Health(backups)}</h3>
        <dl class="facts">
        {Fact("Newest set", backups.Newest is { } newest ? Set(newest, backups.BytesBefore) : Quiet("none yet"))}
        {Fact("Last drill", backups.Drill is { } drill ? Drill(drill) : Quiet("no set has been restored yet, so none is proved"))}
        {(backups.Streams.IsEmpty ? Html.Empty : Fact("A loss now costs (RPO)", Html.Of($"<strong>{Cost(backups)}</strong>")))}
        {backups.Streams.Select(stream => Fact($"{stream.Service}, continuously", Stream(stream)))}
        {backups.Next.Select(next => Fact($"Next {next.Key}", Phrases.Until(next.Value)))}
        </dl>
        {BackupTrends.Render(backups)}
        {backups.Now.Select(Operation)}
        {backups.Warnings.Select(warning => Html.Of($"""<div class="failure"><p class="reason">{warning.What}</p><p>{warning.Hint}</p></div>"""))}
        {(backups.Failed is { } failed ? Html.Of($"""<div class="failure"><p class="reason">The set {failed.Id.Value} failed: {failed.Problem}</p><p>{failed.Hint}</p></div>""") : Html.Empty)}
        """);

    private static Html Health(BackupBoard backups) => backups switch
    {
        { Failed: not null } => Tone.Bad.Pill("failed"),
        { Newest: null } => Tone.Warning.Pill("none"),
        { Drill.Passed: false } => Tone.Bad.Pill("not proved"),
        { Newest.ProvedAt: not null } => Tone.Good.Pill("proved"),
        { Drill: null } => Tone.Warning.Pill("not proved yet"),
        _ => Tone.Good.Pill("kept"),
    };

    private static Html Set(BackupSetRecord set, long? before)
    {
        var stores = string.Join(", ", set.Zones.Select(zone => zone.Value == BackupSetRecord.Whole ? zone.Key : $"{zone.Key} ({zone.Value})"));
        var proved = set.ProvedAt is null ? Html.Empty : Html.Of($" {Tone.Good.Pill("proved")}");
        return Html.Of($"""<code>{set.Id.Value}</code>, {Phrases.Ago(set.EndedAt ?? set.StartedAt)}, {Size(set.Bytes)}{Growth(set.Bytes, before)} in {stores}, took {Phrases.Took(set.Took ?? TimeSpan.Zero)}{proved}""");
    }

    private static Html Drill(DrillRecord drill) => drill.Passed
        ? Html.Of($"""{Tone.Good.Pill("passed")} {Phrases.Ago(drill.EndedAt)}: from nothing to an application that answers in <strong>{Phrases.Took(TimeSpan.FromSeconds(drill.RecoverySeconds))}</strong>""")
        : Html.Of($"""{Tone.Bad.Pill("failed")} {Phrases.Ago(drill.EndedAt)}: {drill.Problem}""");

    private static Html Operation(BackupOperation operation) => Html.Of($"""
        <p class="under-way">{Tone.Busy.Pill(operation.Kind)} {operation.What}{Progress(operation)}</p>
        """);

    private static Html Progress(BackupOperation operation)
    {
        if (operation.Bytes == 0) return Html.Empty;
        var of = operation.Of is { } all ? $" of {Size(all)}" : "";
        var left = operation.Left is { } rest ? $", {Phrases.Took(rest)} left" : "";
        return Html.Of($""" <span class="quiet">{Size(operation.Bytes)}{of}, {Size((long)operation.Rate)}/s{left}</span>""");
    }

    private static string Growth(long bytes, long? before) => before is > 0 and var old && Math.Abs(bytes - old) * 100 / old is >= 1 and var change
        ? string.Create(CultureInfo.InvariantCulture, $" ({(bytes > old ? "+" : "-")}{change} %)")
        : "";

    internal static string Size(long bytes) => bytes switch
    {
        < 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0} GiB"),
    };

    /// <summary>Of what is received continuously: the worst, off this host and on its disk.</summary>
    private static string Cost(BackupBoard backups) => string.Create(
        CultureInfo.InvariantCulture,
        $"{backups.Streams.Max(stream => stream.OffHostLag).TotalSeconds:0.0} s without this host, {backups.Streams.Max(stream => stream.LocalLag).TotalSeconds:0.0} s with its disk");

    private static Html Stream(StreamState stream) => stream.Streaming
        ? Html.Of($"{Size(stream.OffHostBytes)} are not off this host yet{(stream.OffHostLag > TimeSpan.FromSeconds(1) ? string.Create(CultureInfo.InvariantCulture, $", for {stream.OffHostLag.TotalSeconds:0} s") : "")}")
        : Html.Of($"{Tone.Bad.Pill("not received")} {stream.Findings.Select(finding => finding.What).FirstOrDefault() ?? "it is tried again"}");

    private static Html Fact(string name, Html value) => Html.Of($"<dt>{name}</dt><dd>{value}</dd>");

    private static Html Quiet(string text) => Html.Of($"""<span class="quiet">{text}</span>""");
}
