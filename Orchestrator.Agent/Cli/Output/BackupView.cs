using System.Globalization;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class BackupView
{
    private const int Few = 5;

    public static void Write(TextWriter output, BackupsResponse books, DateTimeOffset now)
    {
        TextTable.Write(output, ["SET", "STATE", "WHY", "WHEN", "TOOK", "SIZE", "RELEASE", "STORES", "PROVED"], books.Sets.Select(set => new[]
        {
            set.Set,
            set.State,
            set.Dump ? $"{set.Reason}, dump" : set.Reason,
            Words.Ago(set.StartedAt, now),
            Words.Took(set.StartedAt, set.EndedAt),
            set.Bytes == 0 ? "-" : Words.Bytes(set.Bytes),
            set.Release is { } release ? $"{release}" : "-",
            set.Stores.IsEmpty ? "-" : string.Join(", ", set.Stores.Select(store => store.Value == "whole" ? store.Key : $"{store.Key} ({store.Value})")),
            set.ProvedAt is { } proved ? Words.Ago(proved, now) : "never",
        }));
        foreach (var failed in books.Sets.Where(set => set.Problem is not null).Take(Few)) output.WriteLine($"  {failed.Set}: {failed.Problem}");
        foreach (var (work, at) in books.Next) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"next {work}: {at:yyyy-MM-dd HH:mm}Z"));
        foreach (var stream in books.Streams)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{stream.Service}: {(stream.Streaming ? "received continuously" : "NOT received now")}; a loss of the service would cost {stream.LocalSeconds:0.#} s ({Words.Bytes(stream.LocalBytes)}), of the host {stream.OffHostSeconds:0.#} s ({Words.Bytes(stream.OffHostBytes)})"));
            foreach (var problem in stream.Problems) output.WriteLine($"  {problem}");
        }

        if (books.Warning is { } warning) output.WriteLine($"warning: {warning}");
        WriteRuns(output, books, now);
        WriteDrills(output, books, now);
        WriteRestores(output, books, now);
        foreach (var operation in books.Operations.Where(operation => operation.State is "running" or "waiting")) output.WriteLine($"now: {operation.Kind}: {operation.What}");
    }

    public static void Write(TextWriter output, RetentionResponse retention)
    {
        TextTable.Write(output, ["SET", "WOULD", "WHY"], retention.Sets.Select(set => new[] { set.Set, set.Kept ? "stay" : "go", string.Join("; ", set.Reasons) }));
        if (retention.StreamObjects > 0) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{retention.StreamObjects} objects of continuous streams would go: no set that stays needs them"));
        if (retention.Blocked is { } why) output.WriteLine($"nothing would be removed now: {why}");
    }

    public static async Task WriteDrillAsync(Invocation call, OperationResponse over, CancellationToken cancellationToken)
    {
        var drills = await call.Client.GetAsync($"stacks/{Uri.EscapeDataString(over.Stack)}/drills", ApiJson.Default.DrillResponseArray, cancellationToken);
        if (drills.FirstOrDefault(drill => $"{drill.Number}" == over.Result) is not { } drill) return;

        foreach (var check in drill.Checks) call.Say($"  {(check.Passed ? "ok" : "NO"),-3} {check.Service}: {check.What}: {check.Detail}");
        call.Say(string.Create(CultureInfo.InvariantCulture, $"drill {drill.Number}: {drill.Set} is proved; from nothing to {(drill.Phases.ContainsKey("application") ? "an application" : "a server")} that answers in {drill.Phases.GetValueOrDefault("total"):0.0} s"));
    }

    public static async Task WriteMadeAsync(Invocation call, OperationResponse over, CancellationToken cancellationToken)
    {
        var set = await call.Client.GetAsync($"backups/{Uri.EscapeDataString($"{over.Stack}.{over.Result}")}", ApiJson.Default.BackupResponse, cancellationToken);
        foreach (var part in set.Parts) call.Say($"  {part.Service} ({part.Kind}): {Words.Bytes(part.Bytes)}{Counted(part)}");
        call.Say($"{set.Set}: {Words.Bytes(set.Bytes)}, in {string.Join(", ", set.Stores.Select(store => $"{store.Key} {store.Value}"))}");
    }

    private static string Counted(BackupPartResponse part) => part.Counted.IsEmpty
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $", {part.Counted.Values.Sum()} {part.Kind switch { "postgres" or "postgres-dump" => "rows", "redis" => "keys", _ => "files" }}");

    private static void WriteRuns(TextWriter output, BackupsResponse books, DateTimeOffset now)
    {
        if (books.Runs.IsEmpty) return;
        output.WriteLine();
        TextTable.Write(output, ["DUE", "WORK", "OUTCOME", "DETAIL"], books.Runs.Take(Few).Select(run => new[] { Words.Ago(run.DueAt, now), run.Work, run.Outcome, run.Detail ?? "" }));
    }

    private static void WriteDrills(TextWriter output, BackupsResponse books, DateTimeOffset now)
    {
        if (books.Drills.IsEmpty) return;
        output.WriteLine();
        TextTable.Write(output, ["DRILL", "SET", "OUTCOME", "WHEN", "RECOVERY"], books.Drills.Take(Few).Select(drill => new[]
        {
            $"{drill.Number}", drill.Set, drill.Passed ? "passed" : $"FAILED: {drill.Problem}", Words.Ago(drill.EndedAt, now), Words.Took(TimeSpan.FromSeconds(drill.Phases.GetValueOrDefault("total"))),
        }));
    }

    private static void WriteRestores(TextWriter output, BackupsResponse books, DateTimeOffset now)
    {
        if (books.Restores.IsEmpty) return;
        output.WriteLine();
        TextTable.Write(output, ["RESTORE", "STATE", "TO", "WHEN", "BY", "UNDO UNTIL"], books.Restores.Take(Few).Select(restore => new[]
        {
            $"{restore.Id}", restore.State, restore.Point, Words.Ago(restore.CreatedAt, now), restore.Origin,
            restore is { State: "done", KeptUntil: { } until } ? string.Create(CultureInfo.InvariantCulture, $"{until:yyyy-MM-dd HH:mm}Z") : "-",
        }));
    }
}
