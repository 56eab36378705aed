using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>backup init</c> and <c>backup keys</c>. A private key is made here and shown here; the daemon gets the public half only.</summary>
internal static class BackupKeyVerbs
{
    private static readonly Option<string?> Label = new("--label") { Description = "Whose key it is, for 'backup keys'; left out: recovery.", HelpName = "LABEL" };
    private static readonly Option<string?> Recipient = new("--recipient") { Description = "Adds this public key of age instead of making a pair.", HelpName = "AGE1" };
    private static readonly Option<bool> HostKey = new("--host-key") { Description = "Makes a key of the host's own instead, where it has none or has lost it for good." };
    private static readonly Option<string?> Remove = new("--remove") { Description = "Does not encrypt to this key any more; what exists can be read with it as before.", HelpName = "FINGERPRINT" };

    public static IEnumerable<Command> OfBackup(CliHost host) =>
    [
        Invocation.Verb(
            host,
            "init",
            "Makes a recovery key, shows its private half this once, and encrypts all further backups to it, too.",
            command =>
            {
                command.Add(Label);
                command.Add(Recipient);
                command.Add(HostKey);
            },
            InitAsync),
        Invocation.Verb(host, "keys", "Lists the keys that can read the backups, or takes one out.", command => command.Add(Remove), KeysAsync),
    ];

    private static async Task<int> InitAsync(Invocation call, CancellationToken cancellationToken)
    {
        if (call.Value(HostKey))
        {
            if (call.Value(Recipient) is not null || call.Value(Label) is not null)
                throw new CliFailure(ExitCodes.Usage, "--host-key goes with neither --recipient nor --label", null, "basmalin backup init --host-key");
            var own = await call.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "backup-keys/host"), ApiJson.Default.BackupKeyResponse, cancellationToken);
            call.Write(new NewBackupKeyResponse(own.Recipient, own.Fingerprint, null), ApiJson.Readable.NewBackupKeyResponse, BackupKeysView.WriteHost);
            return ExitCodes.Done;
        }

        var made = call.Value(Recipient) is null ? AgeIdentity.Generate() : null;
        var request = new AddBackupKeyRequest { Recipient = call.Value(Recipient) ?? made?.Recipient.Value ?? "", Label = call.Value(Label) };
        var added = await call.Client.SendAsync(
            HttpMethod.Post, "backup-keys", request, ApiJson.Default.AddBackupKeyRequest, ApiJson.Default.BackupKeyResponse, cancellationToken);
        call.Write(new NewBackupKeyResponse(added.Recipient, added.Fingerprint, made?.Export()), ApiJson.Readable.NewBackupKeyResponse, BackupKeysView.WriteNew);
        return ExitCodes.Done;
    }

    private static async Task<int> KeysAsync(Invocation call, CancellationToken cancellationToken)
    {
        if (call.Value(Remove) is { } which)
        {
            await call.Client.DoAsync(new HttpRequestMessage(HttpMethod.Delete, $"backup-keys/{Uri.EscapeDataString(which)}"), cancellationToken);
            call.Write(new DoneResponse(true), ApiJson.Readable.DoneResponse, (text, _) => text.WriteLine($"further backups are not encrypted to {which} any more; keep its private half for as long as the sets that exist"));
            return ExitCodes.Done;
        }

        var keys = await call.Client.GetAsync("backup-keys", ApiJson.Default.BackupKeysResponse, cancellationToken);
        call.Write(keys, ApiJson.Readable.BackupKeysResponse, (text, found) => BackupKeysView.Write(text, found, call.Host.Time.GetUtcNow()));
        return ExitCodes.Done;
    }
}
