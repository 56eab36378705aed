using Orchestrator.Backups;

namespace Orchestrator.Tests.Backups.Pipeline;

internal static class Manifests
{
    public static BackupManifest Of(long sequence, params BackupObject[] objects) => new()
    {
        Id = BackupSetId.Of(sequence, At(sequence)),
        Stack = "garden",
        CreatedAt = At(sequence),
        Reason = "schedule",
        Program = "0.1.0",
        Recipients = ["age1test"],
        Parts = [new BackupPart { Service = "postgres", Kind = "postgres", Objects = [.. objects] }],
    };

    public static DateTimeOffset At(long day) => new DateTimeOffset(2026, 1, 1, 1, 0, 0, TimeSpan.Zero).AddDays(day);
}
