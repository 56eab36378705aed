using System.Text.Json.Nodes;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Tests.Agent;

/// <summary>Keys of backups, as an operator meets them.</summary>
public sealed class BackupKeyDaemonTests
{
    [Test]
    public async Task A_recovery_key_is_made_once_shown_once_and_a_vanished_host_key_is_said_everywhere()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        Assert.That(await DoctorAsync(daemon), Does.StartWith("warning: Only one key can read the backups"));

        var init = await daemon.RunAsync("backup", "init", "--label", "safe", "--json");
        Assert.That(init.ExitCode, Is.Zero, init.Error);
        Assert.That(AgeIdentity.TryParse(init.Json["identity"]!.GetValue<string>(), out var identity), Is.True);
        Assert.That(identity!.Recipient.Value, Is.EqualTo(init.Json["recipient"]!.GetValue<string>()));
        foreach (var file in Directory.EnumerateFiles(daemon.Options.Data, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("lock", StringComparison.Ordinal)))
            Assert.That(await ReadAsync(file), Does.Not.Contain(identity.Export()), "the private half is nowhere on the host");

        var keys = await daemon.RunAsync("backup", "keys", "--json");
        Assert.That(keys.Json["keys"]!.AsArray().Select(key => $"{key!["label"]} {key["drill"]}"), Is.EqualTo(new[] { "host true", "safe false" }));
        Assert.That(await DoctorAsync(daemon), Does.StartWith("ok: 2 keys"));
        var gone = await daemon.RunAsync("backup", "keys", "--remove", init.Json["fingerprint"]!.GetValue<string>());
        Assert.That(gone.ExitCode, Is.Not.Zero);
        Assert.That(gone.Error, Does.Contain("the only one that is not on this host"));

        File.Delete(Path.Combine(daemon.Options.Data, "backup.key"));
        await daemon.RestartAsync();

        Assert.That(File.Exists(Path.Combine(daemon.Options.Data, "backup.key")), Is.False, "no new one is made in silence");
        Assert.That(await DoctorAsync(daemon), Does.StartWith("failed: The host's own key"));
        Assert.That((await daemon.RunAsync("backup", "keys")).Out, Does.Contain("has vanished").And.Contains("backup init --host-key"));
        Assert.That((await daemon.RunAsync("backup", "init", "--host-key")).ExitCode, Is.Zero);
        Assert.That(await DoctorAsync(daemon), Does.StartWith("ok: 2 keys"));
    }

    private static async Task<string> DoctorAsync(RunningDaemon daemon)
    {
        var found = JsonNode.Parse(await daemon.Socket.GetStringAsync("/api/v1/doctor"))!;
        var check = found["checks"]!.AsArray().Single(check => check!["name"]!.GetValue<string>() == "backup keys")!;
        Assert.That(found["checks"]!.AsArray().Select(one => one!["name"]!.GetValue<string>()), Does.Contain("store local"));
        return $"{check["state"]}: {check["detail"]}";
    }

    private static async Task<string> ReadAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }
}
