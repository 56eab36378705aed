using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Tests.Faults;

/// <summary>
/// A journal that notes every row and, at the one that the file <c>fatal</c> names, ends the process with SIGKILL: right before the row is written or
/// right after it is durable. It sees every method of the interface, so that a new one is not forgotten. Public and open, because the proxy is derived from it.
/// </summary>
public class MortalJournal : DispatchProxy
{
    private readonly Lock _gate = new();
    private IJournal _journal = null!;
    private string _directory = "";
    private string _armed = "";
    private int _seen;

    public static IJournal Around(IJournal journal, string directory)
    {
        var proxy = Create<IJournal, MortalJournal>();
        var mortal = (MortalJournal)(object)proxy;
        (mortal._journal, mortal._directory) = (journal, directory);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod is null || NameOf(targetMethod.Name, args ?? []) is not { } row) return Pass(targetMethod, args);

        var fatal = Fatal(row);
        if (fatal == "before") Die();
        var written = Pass(targetMethod, args);
        if (written is Task task) task.GetAwaiter().GetResult();
        lock (_gate) File.AppendAllText(Path.Combine(_directory, "rows"), row + "\n");
        if (fatal == "after") Die();
        return written;
    }

    /// <summary>What a row is called; null: nothing is written.</summary>
    private static string? NameOf(string method, object?[] arguments) => (method, arguments.FirstOrDefault()) switch
    {
        (nameof(IJournal.AdmitAsync), _) => "admit",
        (nameof(IJournal.AddReleaseAsync), _) => "release",
        (nameof(IJournal.RequestCancelAsync), _) => "cancel",
        (nameof(IJournal.SaveDeploymentAsync), Deployment saved) => $"save {saved.State}{(saved is { Ended: false, Failure: not null } ? " failing" : "")}",
        (nameof(IJournal.BeginStepAsync), _) => $"begin {arguments[1]}",
        (nameof(IJournal.EndStepAsync), StepEnd end) => $"end {end.Step} {end.State}",
        _ => null,
    };

    private object? Pass(MethodInfo? method, object?[]? arguments) => method?.Invoke(_journal, arguments);

    /// <summary>before, after, or null: it lives on.</summary>
    private string? Fatal(string row)
    {
        lock (_gate)
        {
            var file = Path.Combine(_directory, "fatal");
            var armed = File.Exists(file) ? File.ReadAllText(file) : "";
            if (armed != _armed) (_armed, _seen) = (armed, 0);
            if (armed.Split('|') is not [var name, var side, var nth] || name != row) return null;
            return ++_seen == int.Parse(nth, CultureInfo.InvariantCulture) ? side : null;
        }
    }

    private void Die()
    {
        File.WriteAllText(Path.Combine(_directory, "died"), TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
        using var self = Process.GetCurrentProcess();
        self.Kill();                                                // SIGKILL: nothing of ours runs after it
        new ManualResetEventSlim().Wait();
    }
}
