using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class BackupKeysView
{
    public static void Write(TextWriter output, BackupKeysResponse keys, DateTimeOffset now)
    {
        TextTable.Write(output, ["FINGERPRINT", "LABEL", "ADDED", "PUBLIC KEY"], keys.Keys.Select(key => new[]
        {
            key.Fingerprint, key.Drill ? $"{key.Label} (drills)" : key.Label, key.AddedAt is { } at ? Words.Ago(at, now) : "-", key.Recipient,
        }));
        if (keys.Problem is null) return;

        output.WriteLine();
        output.WriteLine($"problem: {keys.Problem}");
        output.WriteLine($"  hint: {keys.Hint}");
    }

    public static void WriteNew(TextWriter output, NewBackupKeyResponse key)
    {
        if (key.Identity is { } identity)
        {
            output.WriteLine("The private key, shown this once and kept nowhere here. Keep it away from this host, with the page RECOVERY.txt of the stores:");
            output.WriteLine("who has it can read the backups; without it, they are lost together with the host.");
            output.WriteLine();
            output.WriteLine(identity);
            output.WriteLine();
        }

        output.WriteLine($"public key:  {key.Recipient}");
        output.WriteLine($"fingerprint: {key.Fingerprint}");
        output.WriteLine("Sets that are made from now on can be read with it. Make one: basmalin backup run STACK");
    }

    public static void WriteHost(TextWriter output, NewBackupKeyResponse key)
    {
        output.WriteLine($"The host has a key of its own now: {key.Fingerprint}");
        output.WriteLine("Sets from before cannot be drilled or restored here by themselves any more: 'basmalin recover --key FILE' reads them with another of their keys.");
        output.WriteLine("Make a set for it now: basmalin backup run STACK");
    }
}
